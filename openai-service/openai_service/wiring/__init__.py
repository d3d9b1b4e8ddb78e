"""Composition: which objects make up each capability, from the settings."""

"""Composition of the background work."""

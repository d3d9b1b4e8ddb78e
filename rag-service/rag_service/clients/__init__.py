"""Thin clients of the services that this one calls."""

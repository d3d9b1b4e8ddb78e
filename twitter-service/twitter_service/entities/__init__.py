"""Tracked entities, their daily and hourly counts."""

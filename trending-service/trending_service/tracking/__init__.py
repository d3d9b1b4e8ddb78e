"""Trends from their start to their end, as they are seen while the service runs."""

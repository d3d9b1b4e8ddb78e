"""Processes: starting, watching, stopping, and the state that they leave on disk."""

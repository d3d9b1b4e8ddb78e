"""Polls: their average with its own band, apart from the index of the conversation."""

"""Tweets in, the tweet feed out."""

__version__ = "0.1.0"

"""Tweets and authors as X sends them, API v2 and v1.1, turned into what is stored."""

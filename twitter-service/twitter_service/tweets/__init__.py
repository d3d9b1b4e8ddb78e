"""Tweets: the record, its upsert and erasure, the feed."""

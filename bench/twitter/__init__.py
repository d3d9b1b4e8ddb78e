"""twitter-service."""

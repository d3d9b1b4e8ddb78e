"""sentiment-service."""

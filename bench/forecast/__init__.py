"""forecast-service."""

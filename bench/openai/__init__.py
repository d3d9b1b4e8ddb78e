"""openai-service."""

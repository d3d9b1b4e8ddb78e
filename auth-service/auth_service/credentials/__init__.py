"""Callers that are not people: API keys, service clients and their tokens."""

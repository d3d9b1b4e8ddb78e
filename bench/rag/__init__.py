"""Measurements of rag-service."""

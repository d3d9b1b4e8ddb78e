"""Embeddings: encoders on this machine and upstream."""

"""Clients of the upstream language models."""

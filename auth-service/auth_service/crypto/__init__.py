"""Encryption at rest, digests and password hashes."""

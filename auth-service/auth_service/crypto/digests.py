"""Digests of secrets that this service generates: refresh tokens, API keys, client secrets, one-time tokens."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """Return the SHA-256 of ``secret``, which is stored in its place."""
    # At least 120 random bits need no slow hash: they cannot be guessed.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

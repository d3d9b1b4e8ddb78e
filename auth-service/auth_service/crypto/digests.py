"""What is stored of a secret of our own making: a refresh token, an API key, a client's secret, a one-time token."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """Return what is stored of ``secret``."""
    # At least 120 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

"""Recovery codes: what replaces the authenticator app when it is lost. Each can be used once."""

from __future__ import annotations

import base64
import secrets

from auth_service.crypto.digests import digest

_CODES = 10


def new_codes() -> list[str]:
    """Return ten codes in groups of six characters, of 120 random bits each (OWASP ASVS 6.5.2)."""
    codes = [base64.b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(_CODES)]
    return ["-".join(code[at : at + 6] for at in range(0, 24, 6)) for code in codes]


def code_hash(code: str) -> bytes:
    """Return the digest of a code, however it was typed."""
    return digest(code.replace("-", "").replace(" ", "").lower())

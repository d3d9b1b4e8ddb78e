"""Time-based one-time passwords (RFC 6238: HMAC-SHA-1, six digits, 30 s)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote

STEP_SECONDS = 30
_ISSUER = "CASTOR"


def code_at(key: bytes, step: int) -> str:
    """Return the six digits of a step (RFC 4226 section 5.3)."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[-1] & 0x0F
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06d}"


def matching_step(key: bytes, code: str, now: float) -> int | None:
    """Return the step that ``code`` belongs to at Unix time ``now``, or None.

    The present step and the one before it count, for codes that are typed while the step changes.
    """
    present = int(now) // STEP_SECONDS
    right = [
        step
        for step in (present, max(0, present - 1))
        if hmac.compare_digest(code_at(key, step).encode(), code.encode())
    ]
    return right[0] if right else None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given, once."""

    secret: str
    """Base32."""
    uri: str
    """``otpauth://`` address, for a QR code."""


def new_enrolment(email: str) -> Enrolment:
    """Return a new key for the account of ``email``."""
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    parameters = f"secret={secret}&issuer={_ISSUER}&digits=6&period={STEP_SECONDS}"
    return Enrolment(secret, f"otpauth://totp/{quote(f'{_ISSUER}:{email}')}?{parameters}")

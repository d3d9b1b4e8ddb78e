"""Challenges that authenticators sign: random, sealed for their holder, stored only once they are answered."""

from __future__ import annotations

import base64
import json
import secrets
import time
from datetime import timedelta
from typing import Any

from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import PasskeyRefused
from auth_service.passkeys import challenge_repository
from castor_chassis.storage.postgres import Database

LIFETIME = timedelta(minutes=5)


def new_challenge(vault: Vault, purpose: str) -> tuple[bytes, str]:
    """Return a challenge, and the token that says what it was made for; ``opened`` takes it for ``LIFETIME``."""
    challenge = secrets.token_bytes(32)
    claims = {"challenge": challenge.hex(), "exp": time.time() + LIFETIME.total_seconds()}
    sealed = vault.seal_text(f"passkey {purpose}", json.dumps(claims))
    return challenge, base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def opened(vault: Vault, purpose: str, token: str) -> bytes:
    """Return the challenge in a token of ``new_challenge``; raises ``PasskeyRefused`` for any other."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise PasskeyRefused(reason="The challenge cannot be read") from error
    text = vault.unseal_text(f"passkey {purpose}", sealed)
    claims: dict[str, Any] = json.loads(text) if text is not None else {"exp": 0}
    if claims["exp"] <= time.time():
        raise PasskeyRefused(reason="The challenge is unknown or has expired")
    return bytes.fromhex(claims["challenge"])


async def use(db: Database, challenge: bytes) -> None:
    """Use up a challenge that was answered; raises ``PasskeyRefused`` when it was before."""
    if not await challenge_repository.use_challenge(db, digest(challenge.hex()), LIFETIME):
        raise PasskeyRefused(reason="The challenge was answered before")

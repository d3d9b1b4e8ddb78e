"""What stands between a right password and a second factor: a sealed token that needs no storage."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

from auth_service.crypto.vault import Vault
from auth_service.users.repository import User

LOGIN_SECONDS = 300


def _print_of(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


def sealed_login(vault: Vault, user: User) -> str:
    """Return what proves for five minutes that the password was right; a new password voids it."""
    claims = {"sub": str(user.id), "pw": _print_of(user), "exp": time.time() + LOGIN_SECONDS}
    return base64.urlsafe_b64encode(vault.seal_text("mfa login", json.dumps(claims))).decode().rstrip("=")


def opened_login(vault: Vault, token: str) -> dict[str, Any] | None:
    """Return the ``sub`` and ``pw`` of a login, or None when the token does not hold (any more)."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    text = vault.unseal_text("mfa login", sealed)
    claims: dict[str, Any] | None = json.loads(text) if text is not None else None
    return claims if claims is not None and claims["exp"] > time.time() else None


def is_of(claims: dict[str, Any], user: User) -> bool:
    """Return whether the account still has the password that the login was begun with."""
    return bool(claims["pw"] == _print_of(user))

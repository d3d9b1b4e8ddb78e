"""The token between the password and the MFA code of a login: sealed, so that it needs no storage."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass

from auth_service.crypto.vault import Vault
from auth_service.users.model import User

CHALLENGE_SECONDS = 300
_PURPOSE = "mfa login"


@dataclass(frozen=True, slots=True)
class MfaChallenge:
    """A login whose password was right."""

    user_id: uuid.UUID
    credentials: str
    """When those of the account had changed last."""

    def is_of(self, user: User) -> bool:
        """Return whether the account still has the credentials that the login began with."""
        return self.credentials == _credentials_of(user)


def _credentials_of(user: User) -> str:
    return user.credentials_changed_at.isoformat()


def sealed_challenge(vault: Vault, user: User) -> str:
    """Return a token that says for ``CHALLENGE_SECONDS`` that the password was right; changed credentials void it."""
    claims = {"sub": str(user.id), "cred": _credentials_of(user), "exp": time.time() + CHALLENGE_SECONDS}
    return base64.urlsafe_b64encode(vault.seal_text(_PURPOSE, json.dumps(claims))).decode().rstrip("=")


def opened_challenge(vault: Vault, token: str) -> MfaChallenge | None:
    """Return the challenge in a token, or None when the token is not valid (any more)."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    text = vault.unseal_text(_PURPOSE, sealed)
    if text is None:
        return None
    claims = json.loads(text)
    return MfaChallenge(uuid.UUID(claims["sub"]), claims.get("cred", "")) if claims["exp"] > time.time() else None

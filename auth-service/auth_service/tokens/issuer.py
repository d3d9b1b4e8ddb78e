"""What our tokens say, and what a token that we are shown is worth."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from jose import jwt

from auth_service.tokens.signing_keys import ALGORITHM, Offload, SigningKeys
from auth_service.users.repository import User
from auth_service.users.roles import scopes_held
from castor_chassis import Claims, TokenVerifier, Unauthenticated


@dataclass(frozen=True)
class TokenMinter:
    """Signs tokens; a signature costs a millisecond or more, so it is made on a thread.

    Every method raises ``Unavailable`` before the signing keys are loaded.
    """

    keys: SigningKeys
    offload: Offload
    issuer: str
    user_audience: str
    access_seconds: int
    service_seconds: int
    needing_factor: frozenset[str] = frozenset()
    """Roles that give nothing until their holder has a second factor."""

    def scopes(self, user: User) -> frozenset[str]:
        """Return what a user may do today."""
        return scopes_held(user.roles, second_factor=user.mfa_enabled, needing_one=self.needing_factor)

    async def user_token(self, user: User, session_id: str) -> str:
        """Return an access token with all that the user's roles allow; it dies with its session."""
        return await self._sign(
            self.access_seconds,
            sub=str(user.id),
            aud=self.user_audience,
            token_use="user",
            sid=session_id,
            scope=_joined(self.scopes(user)),
            roles=list(user.roles),
            email=user.email,
        )

    async def service_token(self, service: str, audience: str, scopes: Iterable[str], thumbprint: str) -> str:
        """Return a token for one audience, bound to the certificate with ``thumbprint`` (RFC 8705 section 3.1)."""
        return await self._sign(
            self.service_seconds,
            sub=service,
            aud=audience,
            token_use="service",
            scope=_joined(scopes),
            cnf={"x5t#S256": thumbprint},
        )

    async def _sign(self, seconds: int, **claims: Any) -> str:
        now = int(time.time())
        times = {"iss": self.issuer, "iat": now, "exp": now + seconds, "jti": secrets.token_hex(16)}
        key = self.keys.signer()
        return str(await self.offload(jwt.encode, {**times, **claims}, key.private, ALGORITHM, {"kid": key.kid}))


def _joined(scopes: Iterable[str]) -> str:
    return " ".join(sorted(scopes))


async def judged(verifier: TokenVerifier, token: str) -> Claims | str:
    """Return what a user's access token says, or in one sentence why it does not hold.

    Raises ``Unavailable`` only when nothing can be said, before the signing keys are loaded.
    """
    try:
        return await verifier.verify(token, None)
    except Unauthenticated as refused:
        return str(refused.details["reason"])


def remembered(verifier: TokenVerifier, body: bytes) -> bytes | None:
    """Return the answer of validate-token to a body, as JSON, if the token in it was verified before and holds.

    None in every other case: the route has to say.
    """
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    token = request.get("token") if isinstance(request, dict) and len(request) == 1 else None
    if not isinstance(token, str):
        return None
    claims = verifier.recall(token.encode(), None)
    return None if claims is None else orjson.dumps(verdict_on(claims))


def verdict_on(claims: Claims) -> dict[str, Any]:
    """Return what validate-token says about a token that holds."""
    return {
        "valid": True,
        "user_id": claims.subject,
        "email": claims.email,
        "roles": claims.roles,
        "exp": claims.expires_at,
    }

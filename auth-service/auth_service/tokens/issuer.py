"""Issues access tokens (RS256): their claims, and the scopes of users."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jose import jwt

from auth_service.tokens.assurance import SECOND_FACTOR, acr_of
from auth_service.tokens.signing_keys import ALGORITHM, Offload, SigningKeys
from auth_service.users.model import User
from auth_service.users.roles import scopes_held

IDENTITY_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
"""Scopes of OpenID Connect, which allow nothing at the services but ``userinfo``."""


@dataclass(frozen=True, slots=True)
class Delegator:
    """The user on whose behalf a service calls."""

    subject: str
    org: str | None
    session_id: str
    """What the token ends with: the user's session, or the API key."""
    scopes: frozenset[str]
    expires_at: int | None = None
    """When the user's token expires, in Unix seconds; None: API keys may live for a year."""


@dataclass(frozen=True)
class TokenIssuer:
    """Signs tokens; a signature takes a millisecond or more of CPU, so it is made on a thread.

    Both kinds of token raise ``Unavailable`` before the signing keys are loaded.
    """

    keys: SigningKeys
    offload: Offload
    issuer: str
    user_audience: str
    access_seconds: int
    service_seconds: int
    mfa_required: frozenset[str] = frozenset()
    """Roles that give no scopes in a session that began without MFA."""

    def scopes(self, user: User, *, mfa_used: bool) -> frozenset[str]:
        """Return the scopes that a user has at present, having been authenticated with MFA or without."""
        return scopes_held(user.roles, user.org, mfa_used=mfa_used, mfa_required=self.mfa_required)

    async def user_token(
        self,
        user: User,
        session_id: str,
        amr: Sequence[str],
        auth_time: datetime,
        *,
        client_id: str | None = None,
        granted: Sequence[str] = (),
    ) -> str:
        """Return an access token with the scopes of the user's roles; it ends with its session at the latest.

        ``amr`` and ``auth_time`` say how and when the user was authenticated (OpenID Connect Core section 2). In a
        session of an OpenID Connect client ``client_id`` it has those of the scopes ``granted`` that the user holds.
        """
        scopes, who = self.scopes(user, mfa_used=acr_of(amr) == SECOND_FACTOR), {}
        if client_id is not None:
            scopes, who = scopes.intersection(granted) | IDENTITY_SCOPES.intersection(granted), {"client_id": client_id}
        return await self._sign(
            self.access_seconds,
            sub=str(user.id),
            aud=self.user_audience,
            token_use="user",
            sid=session_id,
            scope=_joined(scopes),
            amr=list(amr),
            acr=acr_of(amr),
            auth_time=int(auth_time.timestamp()),
            roles=list(user.roles),
            org=user.org,
            email=user.email,
            **who,
        )

    async def id_token(self, user: User, client_id: str, **claims: Any) -> str:
        """Return an ID token for ``client_id`` (OpenID Connect Core section 2); it opens nothing at a service."""
        return await self._sign(self.access_seconds, sub=str(user.id), aud=client_id, **claims)

    async def account_token(self, account_id: str, org: str, session_id: str, scopes: Iterable[str]) -> str:
        """Return a token of a service account, which services accept as they accept a user's."""
        return await self._sign(
            self.service_seconds,
            sub=account_id,
            client_id=account_id,
            aud=self.user_audience,
            token_use="service_account",
            sid=session_id,
            scope=_joined(scopes),
            org=org,
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

    async def delegation(
        self, user: Delegator, actor: str, audience: str, scopes: Iterable[str], thumbprint: str
    ) -> tuple[str, int]:
        """Return a token with which ``actor`` calls ``audience`` on behalf of ``user`` (RFC 8693), and its seconds.

        It is bound to the actor's certificate, ends with the user's session, and lasts no longer than the user's token.
        """
        left = self.service_seconds if user.expires_at is None else user.expires_at - int(time.time())
        seconds = max(1, min(self.service_seconds, left))
        token = await self._sign(
            seconds,
            sub=user.subject,
            aud=audience,
            token_use="delegation",
            sid=user.session_id,
            scope=_joined(scopes),
            act={"sub": actor},
            org=user.org,
            cnf={"x5t#S256": thumbprint},
        )
        return token, seconds

    async def _sign(self, seconds: int, **claims: Any) -> str:
        now = int(time.time())
        times = {"iss": self.issuer, "iat": now, "exp": now + seconds, "jti": secrets.token_hex(16)}
        key = self.keys.active()
        return str(await self.offload(jwt.encode, {**times, **claims}, key.private, ALGORITHM, {"kid": key.kid}))


def _joined(scopes: Iterable[str]) -> str:
    return " ".join(sorted(scopes))

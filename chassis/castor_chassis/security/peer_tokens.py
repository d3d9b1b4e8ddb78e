"""The tokens that we show to other services: our own, and those that we get in exchange for users' credentials.

All are bound to our certificate, so they end with it, and all end with a signing key that leaked.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from jose import jwt
from jose.exceptions import JOSEError

from castor_chassis.background.shared_call import SharedCalls
from castor_chassis.client.peer import Peer
from castor_chassis.metrics import TOKEN_EXCHANGES
from castor_chassis.security.auth_client import EXCHANGE, TOKEN, ServiceToken, key_id, read_answer
from castor_chassis.security.authorization import API_KEY_PREFIX
from castor_chassis.security.remembered import Remembered
from castor_chassis.security.revocation import Revocation
from castor_chassis.wire.errors import PeerError

REFUSED_AGE_SECONDS = 1.0
"""A refused token that is younger is not fetched anew: a peer that refuses all of them must not flood auth-service."""
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN, _API_KEY = "urn:ietf:params:oauth:token-type:access_token", "urn:castor:token-type:api_key"
NamesOf = Callable[[str, str], Iterable[str] | None]


class HeldTokens:
    """Tokens by what they were fetched for: ``size`` at most, each until ``margin_seconds`` before its end.

    Each is fetched once at a time. ``names_of`` returns what a token depends on, as ``forget`` names it; None: it is
    not kept. What was being fetched when such a thing was forgotten is not kept either.
    """

    def __init__(self, margin_seconds: float, size: int, names_of: NamesOf | None = None) -> None:
        self._margin = margin_seconds
        self._names_of = names_of
        self._held: Remembered[tuple[float, float, str]] = Remembered(size)
        self._fetches: SharedCalls[str] = SharedCalls()
        self._forgotten = 0

    async def get(self, key: str, fetch: Callable[[], Awaitable[ServiceToken]], refused: str) -> str:
        """Return the token of ``key``: the one held, unless the peer has ``refused`` it, or what ``fetch`` returns."""
        fetched_at, until, token = self._held.get(key) or (0.0, 0.0, "")
        now = time.monotonic()
        if now < until and (token != refused or now - fetched_at < REFUSED_AGE_SECONDS):
            return token
        # Whom a token depends on is known when it is here: whoever comes after a revocation waits for none from before.
        return await self._fetches.run(f"{self._forgotten} {key}", partial(self._fetch, key, fetch))

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[ServiceToken]]) -> str:
        with self._held.asking() as forgotten:
            issued = await fetch()
        now, token = time.monotonic(), issued.access_token
        names = self._names_of(key, token) if self._names_of else ()
        if names is not None:
            self._held.put(key, (now, now + issued.expires_in - self._margin, token), names, forgotten)
        return token

    def forget(self, *name: str) -> None:
        """Forget the tokens that depend on ``name``; without one, all."""
        self._forgotten += 1
        self._held.forget(*name)


class ServiceTokens:
    """Our own tokens for calling peers: one per audience."""

    def __init__(self, auth: Peer, *, margin_seconds: float = 30) -> None:
        self._auth = auth
        self._held = HeldTokens(margin_seconds, 1000)
        self.forget = self._held.forget

    async def token(self, audience: str, refused: str = "") -> str:
        """Return a token for ``audience``; another than ``refused``, which was refused there, if there may be one.

        Raises ``PeerError`` when auth-service is away or refuses.
        """
        return await self._held.get(audience, partial(self._fetch, audience), refused)

    async def _fetch(self, audience: str) -> ServiceToken:
        form = {"grant_type": "client_credentials", "audience": audience}
        return read_answer(ServiceToken, await self._auth.request("POST", TOKEN.path, form=form, idempotent=True))

    def revoke(self, revocation: Revocation) -> None:
        """Forget all tokens when a signing key has leaked."""
        if revocation.kind == "signing_key":
            self.forget()


class UserTokens:
    """Users' tokens and API keys as peers get them: exchanged for one audience (RFC 8693)."""

    def __init__(self, auth: Peer, *, margin_seconds: float = 30, cache_size: int = 10_000) -> None:
        self._auth = auth
        self._held = HeldTokens(margin_seconds, cache_size, _names)
        self.forget = self._held.forget

    async def token(self, user_token: str, audience: str, refused: str = "") -> str:
        """Return the token for ``audience``; another than ``refused``, which was refused there, if there may be one.

        Raises ``PeerError``: a call without it would be at our own expense.
        """
        kind = _API_KEY if user_token.startswith(API_KEY_PREFIX) else _ACCESS_TOKEN
        named = key_id(user_token) if kind == _API_KEY else ""
        key = f"{named} {audience} {hashlib.sha256(user_token.encode()).hexdigest()}"
        try:
            return await self._held.get(key, partial(self._fetch, user_token, kind, audience), refused)
        except PeerError:
            TOKEN_EXCHANGES.labels("failed").inc()
            raise

    async def _fetch(self, user_token: str, kind: str, audience: str) -> ServiceToken:
        form = {"grant_type": _GRANT, "audience": audience, "subject_token": user_token, "subject_token_type": kind}
        issued = read_answer(ServiceToken, await self._auth.request("POST", EXCHANGE.path, form=form, idempotent=True))
        TOKEN_EXCHANGES.labels("ok").inc()
        return issued

    def revoke(self, revocation: Revocation) -> None:
        """Forget all tokens when a signing key has leaked; else those of the API key, or of its owner, that changed."""
        if revocation.kind == "signing_key":
            self.forget()
        elif revocation.kind != "session":
            self.forget(f"{revocation.kind} {revocation.subject}")


def _names(key: str, token: str) -> tuple[str, ...] | None:
    """Return the API key and the owner that an exchanged token depends on; none: users' tokens end with a session."""
    named = key.partition(" ")[0]
    if not named:
        return ()
    try:
        # Read only: auth-service has just given it to us, and the peer verifies it.
        return f"api_key {named}", f"user {jwt.get_unverified_claims(token)['sub']}"
    except (JOSEError, KeyError):
        return None

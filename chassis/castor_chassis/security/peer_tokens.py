"""The tokens that we show to other services: our own, and those that we get in exchange for users' credentials.

All are bound to our certificate, so they end with it, and all end with a signing key that leaked.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial

from castor_chassis.background.shared_call import SharedCalls
from castor_chassis.client.peer import Peer
from castor_chassis.metrics import TOKEN_EXCHANGES
from castor_chassis.security.auth_client import EXCHANGE, TOKEN, ServiceToken, read_answer
from castor_chassis.security.authorization import API_KEY_PREFIX
from castor_chassis.security.revocation import Revocation
from castor_chassis.wire.errors import PeerError

REFUSED_AGE_SECONDS = 1.0
"""A refused token that is younger is not fetched anew: a peer that refuses all of them must not flood auth-service."""
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN, _API_KEY = "urn:ietf:params:oauth:token-type:access_token", "urn:castor:token-type:api_key"


class HeldTokens:
    """Tokens by what they were fetched for: ``size`` at most, each until ``margin_seconds`` before its end.

    Each is fetched once at a time. What was being fetched when tokens were forgotten is not remembered.
    """

    def __init__(self, margin_seconds: float, size: int) -> None:
        self._margin = margin_seconds
        self._size = size
        self._held: OrderedDict[str, tuple[float, float, str]] = OrderedDict()
        self._fetches: SharedCalls[str] = SharedCalls()
        self._forgotten = 0

    async def get(self, key: str, fetch: Callable[[], Awaitable[ServiceToken]], refused: str) -> str:
        """Return the token of ``key``: the one held, unless the peer has ``refused`` it, or what ``fetch`` returns."""
        fetched_at, until, token = self._held.get(key, (0.0, 0.0, ""))
        now = time.monotonic()
        if now < until and (token != refused or now - fetched_at < REFUSED_AGE_SECONDS):
            return token
        return await self._fetches.run(f"{self._forgotten} {key}", partial(self._fetch, key, fetch))

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[ServiceToken]]) -> str:
        before = self._forgotten
        issued = await fetch()
        if before == self._forgotten:
            now = time.monotonic()
            self._held[key] = (now, now + issued.expires_in - self._margin, issued.access_token)
            if len(self._held) > self._size:
                self._held.popitem(last=False)
        return issued.access_token

    def forget(self, prefix: str = "") -> None:
        """Forget the tokens whose key begins with ``prefix``."""
        self._forgotten += 1
        for key in [key for key in self._held if key.startswith(prefix)]:
            del self._held[key]


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
        self._held = HeldTokens(margin_seconds, cache_size)
        self.forget = self._held.forget

    async def token(self, user_token: str, audience: str, refused: str = "") -> str:
        """Return the token for ``audience``; another than ``refused``, which was refused there, if there may be one.

        Raises ``PeerError``: a call without it would be at our own expense.
        """
        kind = _API_KEY if user_token.startswith(API_KEY_PREFIX) else _ACCESS_TOKEN
        key = f"{kind} {audience} {hashlib.sha256(user_token.encode()).hexdigest()}"
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
        """Forget all tokens when a signing key has leaked; those of API keys when what is known of them is stale."""
        if revocation.kind == "signing_key":
            self.forget()
        elif revocation.kind != "session":
            self.forget(_API_KEY)

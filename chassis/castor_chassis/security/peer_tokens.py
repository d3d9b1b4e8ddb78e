"""The tokens that we show to other services: our own, and those that we get in exchange for users' credentials."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from functools import partial

from castor_chassis.background.shared_call import SharedCalls
from castor_chassis.client.peer import Peer
from castor_chassis.metrics import TOKEN_EXCHANGES
from castor_chassis.security.auth_client import EXCHANGE, TOKEN, ServiceToken, read_answer
from castor_chassis.security.authorization import API_KEY_PREFIX
from castor_chassis.wire.errors import PeerError

_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN, _API_KEY = "urn:ietf:params:oauth:token-type:access_token", "urn:castor:token-type:api_key"


class ServiceTokens:
    """Our own tokens for calling peers: one per audience, renewed before it ends, fetched once at a time."""

    def __init__(self, auth: Peer, *, margin_seconds: float = 30) -> None:
        self._auth = auth
        self._margin = margin_seconds
        self._held: dict[str, tuple[float, str]] = {}
        self._fetches: SharedCalls[str] = SharedCalls()

    async def token(self, audience: str) -> str:
        """Return a token for ``audience``; raises ``PeerError`` when auth-service is away or refuses."""
        until, token = self._held.get(audience, (0.0, ""))
        if until > time.monotonic():
            return token
        return await self._fetches.run(audience, partial(self._fetch, audience))

    async def _fetch(self, audience: str) -> str:
        form = {"grant_type": "client_credentials", "audience": audience}
        issued = read_answer(ServiceToken, await self._auth.request("POST", TOKEN.path, form=form, idempotent=True))
        self._held[audience] = (time.monotonic() + issued.expires_in - self._margin, issued.access_token)
        return issued.access_token


class UserTokens:
    """Users' tokens and API keys as peers get them: exchanged for one audience and bound to our certificate (RFC 8693).

    Each is remembered until ``margin_seconds`` before its end, ``cache_size`` at most, and fetched once at a time.
    """

    def __init__(self, auth: Peer, *, margin_seconds: float = 30, cache_size: int = 10_000) -> None:
        self._auth = auth
        self._margin = margin_seconds
        self._size = cache_size
        self._held: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._fetches: SharedCalls[str] = SharedCalls()

    async def token(self, user_token: str, audience: str) -> str:
        """Return the token for ``audience``; raises ``PeerError``: a call without it would be at our own expense."""
        key = f"{audience} {hashlib.sha256(user_token.encode()).hexdigest()}"
        until, token = self._held.get(key, (0.0, ""))
        if until > time.monotonic():
            return token
        try:
            return await self._fetches.run(key, partial(self._fetch, key, user_token, audience))
        except PeerError:
            TOKEN_EXCHANGES.labels("failed").inc()
            raise

    async def _fetch(self, key: str, user_token: str, audience: str) -> str:
        kind = _API_KEY if user_token.startswith(API_KEY_PREFIX) else _ACCESS_TOKEN
        form = {"grant_type": _GRANT, "audience": audience, "subject_token": user_token, "subject_token_type": kind}
        issued = read_answer(ServiceToken, await self._auth.request("POST", EXCHANGE.path, form=form, idempotent=True))
        TOKEN_EXCHANGES.labels("ok").inc()
        self._held[key] = (time.monotonic() + issued.expires_in - self._margin, issued.access_token)
        if len(self._held) > self._size:
            self._held.popitem(last=False)
        return issued.access_token

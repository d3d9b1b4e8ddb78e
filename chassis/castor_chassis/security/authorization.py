"""Who calls, and what the caller may do."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from castor_chassis.client.peer import Peer
from castor_chassis.context import RequestInfo, current_request
from castor_chassis.metrics import AUTH_FAILURES
from castor_chassis.security.jwt import TokenVerifier
from castor_chassis.security.rate_limit import RateLimiter
from castor_chassis.security.revocation import News, Revocation, RevocationList
from castor_chassis.tls import is_service
from castor_chassis.wire.errors import Forbidden, PeerRejected, Unauthenticated
from castor_chassis.wire.query_parameters import check_query

API_KEY_PREFIX = "castor_"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authorised caller."""

    kind: str
    """``user``, ``service`` or ``api_key``."""
    subject: str
    """User id, service name, or the id of the key's owner."""
    scopes: frozenset[str]
    email: str | None = None
    roles: tuple[str, ...] = ()
    token_id: str | None = None
    session_id: str | None = None

    @property
    def label(self) -> str:
        """How logs and limits name the caller; no personal data."""
        return f"{self.kind}:{self.subject}"


class ApiKeyVerifier(Protocol):
    """Turns an API key into its owner."""

    async def verify(self, key: str) -> Principal | None:
        """Return whom the key stands for, or None when it does not hold."""


class RemoteApiKeys:
    """Asks auth-service about API keys and remembers the answer for a short while.

    A revocation makes it forget at once; without that word, a revoked key works for up to ``ttl_seconds``
    longer. Raises ``PeerUnavailable`` when a key is unknown here and auth-service is away.
    """

    def __init__(
        self,
        auth: Peer,
        *,
        revoked: RevocationList | None = None,
        ttl_seconds: float = 15,
        cache_size: int = 10_000,
    ) -> None:
        self._auth = auth
        self._ttl = ttl_seconds
        self._size = cache_size
        self._known: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()
        self._forgotten = 0
        if revoked is not None:
            revoked.on_add(self._forget)

    def _forget(self, revocation: Revocation) -> None:
        if revocation.kind == "session":
            return
        self._forgotten += 1
        named = (revocation.kind, revocation.subject)
        stale = [digest for digest, (_, owner) in self._known.items() if owner and named in _names(owner)]
        for digest in stale:
            del self._known[digest]

    async def verify(self, key: str) -> Principal | None:
        """See ``ApiKeyVerifier``."""
        digest = hashlib.sha256(key.encode()).digest()
        until, principal = self._known.get(digest, (0.0, None))
        if until > time.monotonic():
            return principal
        before = self._forgotten
        principal = await self._ask(key)
        # An answer that a revocation overtook may be older than it.
        if before == self._forgotten:
            self._known[digest] = (time.monotonic() + self._ttl, principal)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return principal

    async def _ask(self, key: str) -> Principal | None:
        try:
            reply = await self._auth.post("/internal/api-keys/verify", json={"key": key}, idempotent=True)
        except PeerRejected:
            return None
        answer = reply.data
        if not answer.get("valid"):
            return None
        scopes, roles = frozenset(answer["scopes"]), tuple(answer["roles"])
        return Principal("api_key", answer["user_id"], scopes, roles=roles, token_id=_key_id(key))


def _key_id(key: str) -> str:
    return key.removeprefix(API_KEY_PREFIX).partition("_")[0]


def _names(owner: Principal) -> tuple[tuple[str, str | None], ...]:
    return ("user", owner.subject), ("api_key", owner.token_id)


class RemoteRevocations:
    """Asks auth-service what was revoked since; a client of its own, so that polling wears out no shared breaker."""

    def __init__(self, auth: Peer) -> None:
        self._auth = auth

    async def fetch(self, after: int) -> News:
        """See ``revocation.Fetch``; raises ``PeerError``."""
        data = (await self._auth.get("/internal/revocations", params={"after": after})).data
        items = [Revocation(i["kind"], i["subject"], i["revoked_at"], i["expires_at"]) for i in data["items"]]
        return News(data["epoch"], items, data["issued_after"], data["more"])


class ServiceTokens:
    """Our own tokens for calling peers: one per audience, renewed before it ends, fetched once at a time."""

    def __init__(self, auth: Peer, *, margin_seconds: float = 30) -> None:
        self._auth = auth
        self._margin = margin_seconds
        self._held: dict[str, tuple[float, str]] = {}
        self._lock = asyncio.Lock()

    async def token(self, audience: str) -> str:
        """Return a token for ``audience``; raises ``PeerError`` when auth-service is away or refuses."""
        until, token = self._held.get(audience, (0.0, ""))
        if until > time.monotonic():
            return token
        async with self._lock:
            until, token = self._held.get(audience, (0.0, ""))
            if until <= time.monotonic():
                token = await self._fetch(audience)
        return token

    async def _fetch(self, audience: str) -> str:
        form = {"grant_type": "client_credentials", "audience": audience}
        reply = await self._auth.request("POST", "/v1/auth/token", form=form, idempotent=True)
        token = str(reply.data["access_token"])
        self._held[audience] = (time.monotonic() + float(reply.data["expires_in"]) - self._margin, token)
        return token


@dataclass(frozen=True)
class Gatekeeper:
    """Everything that ``require`` needs at run time; one per service."""

    tokens: TokenVerifier
    api_keys: ApiKeyVerifier
    limiter: RateLimiter

    async def principal(self, credentials: str, info: RequestInfo) -> Principal:
        """Return whom ``credentials`` (an access token or an API key) stand for."""
        if credentials.startswith(API_KEY_PREFIX):
            owner = await self.api_keys.verify(credentials)
            if owner is None:
                AUTH_FAILURES.labels("api_key").inc()
                raise Unauthenticated(reason="The API key is unknown, expired or revoked")
            return owner
        claims = await self.tokens.verify(credentials, info.peer)
        return Principal(
            claims.use,
            claims.subject,
            claims.scopes,
            claims.email,
            claims.roles,
            claims.token_id,
            claims.session_id,
        )


class require(SecurityBase):
    """A dependency that lets in whoever holds ``scope``: ``Depends(require("tweets:read"))``.

    Raises ``Unauthenticated`` (401), ``Forbidden`` (403), ``RateLimited`` (429), or ``Invalid`` (422) for a query
    parameter that the route does not have. Services among
    themselves are not rate limited; their callers' bulkheads bound them.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.model = HTTPBearerModel(description="An access token, or an API key `castor_<id>_<secret>`.")
        self.scheme_name = "Bearer"

    async def __call__(self, request: Request) -> Principal:
        """Return the authorised caller."""
        info = current_request() or RequestInfo()
        gatekeeper: Gatekeeper = request.app.state.chassis.gatekeeper
        credentials = _bearer(request.headers.get("authorization"))
        principal = await gatekeeper.principal(credentials, info)
        info.principal = principal.label
        if self.scope not in principal.scopes:
            AUTH_FAILURES.labels("scope").inc()
            raise Forbidden(reason=f"This needs the scope '{self.scope}'; ask an administrator for a role that has it")
        if principal.kind != "service":
            info.user_token = credentials if principal.kind == "user" else None
            await gatekeeper.limiter.check(principal.label, "principal")
        check_query(request)
        return principal


class public:
    """Marks a route that needs no token, and says why; its callers are limited by address."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def __call__(self, request: Request) -> None:
        """Apply the rate limit of the caller's address, unless it is one of our services."""
        info = current_request()
        if info is None or info.peer is None or not is_service(info.peer.service):
            gatekeeper: Gatekeeper = request.app.state.chassis.gatekeeper
            await gatekeeper.limiter.check(client_address(request), "address")
        check_query(request)


def client_address(request: Request) -> str:
    """Return the caller's address; the ingress's ``X-Forwarded-For`` counts only over its own certificate."""
    info = current_request()
    if info is not None and info.peer is not None and info.peer.service == "ingress":
        forwarded = request.headers.get("x-forwarded-for", "")
        if forwarded:
            return forwarded.split(",")[-1].strip()
    return request.client.host if request.client else "unknown"


def _bearer(header: str | None) -> str:
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        AUTH_FAILURES.labels("missing").inc()
        raise Unauthenticated(reason="No token was sent")
    return credentials.strip()


def requirement_of(dependency: Any) -> str | None:
    """Return what a route's dependency demands, for contracts and tests: a scope, 'public', or None."""
    if isinstance(dependency, require):
        return dependency.scope
    return "public" if isinstance(dependency, public) else None

"""Authentication and authorisation of requests: principals, and the scopes that routes demand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from castor_chassis.client_address import limited_as
from castor_chassis.context import RequestInfo, current_request
from castor_chassis.metrics import AUTH_FAILURES
from castor_chassis.security.caller_places import CallerPlaces
from castor_chassis.security.failed_authentications import FailedAuthentications
from castor_chassis.security.jwt import Claims, TokenVerifier
from castor_chassis.security.rate_limit import RateLimiter
from castor_chassis.tls import is_service
from castor_chassis.wire.errors import Forbidden, NoCredentials, Unauthenticated
from castor_chassis.wire.query_parameters import check_query
from castor_chassis.wire.request_headers import check_headers

API_KEY_PREFIX = "castor_"
_API_KEY = re.compile(rf"{API_KEY_PREFIX}[0-9a-f]{{16}}_[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class Principal:
    """An authorised caller."""

    kind: str
    """``user``, ``api_key``, ``service_account`` (a machine outside) or ``service``."""
    subject: str
    """User id, service name, id of the service account, or the id of the key's owner."""
    scopes: frozenset[str]
    email: str | None = None
    roles: tuple[str, ...] = ()
    token_id: str | None = None
    session_id: str | None = None
    org: str | None = None
    """Organisation that the user, or the owner of the key, belongs to; None for services."""

    @property
    def label(self) -> str:
        """How logs and limits name the caller; no personal data."""
        return f"{self.kind}:{self.subject}"


class ApiKeyVerifier(Protocol):
    """Turns an API key into its owner."""

    async def verify(self, key: str) -> Principal | None:
        """Return the owner of the key, or None when it is unknown, expired or revoked."""


@dataclass(frozen=True)
class Authenticator:
    """Turns credentials into principals and applies rate limits, for ``require`` and ``public``; one per service."""

    tokens: TokenVerifier
    api_keys: ApiKeyVerifier
    limiter: RateLimiter
    failures: FailedAuthentications
    places: CallerPlaces
    only_from: str | None = None
    """This service's name: what users send is refused over the certificate of any other service. None: it is not."""

    async def principal(self, credentials: str, info: RequestInfo) -> Principal:
        """Return the principal of an access token or an API key.

        Raises ``Unauthenticated``, ``PeerUnavailable``, or ``RateLimited`` when too many failed from the address.
        """
        self.failures.admit(info.address, credentials)
        found = await self._principal(credentials, info)
        if info.address is not None:
            self.failures.proved(credentials)
        if found.kind != "service":
            self._check_sender(info)
        return found

    def _check_sender(self, info: RequestInfo) -> None:
        """Refuse what a user sent to another service: whoever captured it there must not use it here."""
        sender = info.peer.service if info.peer is not None else None
        if self.only_from is not None and is_service(sender) and sender != self.only_from:
            AUTH_FAILURES.labels("wrong_sender").inc()
            raise Unauthenticated(reason=f"A user's credentials are not accepted from {sender}; exchange the token")

    async def user_of(self, credentials: str, info: RequestInfo) -> Claims:
        """Return whom a service calls for, by the claims of the token that it got in exchange for the user's.

        Raises ``Unauthenticated``, for the user's own token as well.
        """
        claims = await self.tokens.verify(credentials, info.peer)
        if claims.use != "delegation":
            AUTH_FAILURES.labels("not_exchanged").inc()
            raise Unauthenticated(reason="A user's token has to be exchanged for one of this audience")
        return claims

    async def _principal(self, credentials: str, info: RequestInfo) -> Principal:
        if credentials.startswith(API_KEY_PREFIX):
            # auth-service made none of another form, so it need not be asked about them.
            possible = _API_KEY.fullmatch(credentials) is not None
            owner = await self.api_keys.verify(credentials) if possible else None
            if owner is None:
                AUTH_FAILURES.labels("api_key").inc()
                raise Unauthenticated(reason="The API key is unknown, expired or revoked")
            return owner
        claims = await self.tokens.verify(credentials, info.peer)
        if claims.use == "delegation":
            AUTH_FAILURES.labels("delegation_alone").inc()
            raise Unauthenticated(reason="A token for a call on a user's behalf counts beside a service's own only")
        return Principal(
            claims.use,
            claims.subject,
            claims.scopes,
            claims.email,
            claims.roles,
            claims.token_id,
            claims.session_id,
            claims.org,
        )


_LACKING = {
    "user": "This needs the scope '{scope}'; ask an administrator for a role that has it",
    "api_key": "This API key lacks the scope '{scope}'; create one that has it, or use one of another role",
    "service_account": "This service account lacks the scope '{scope}', or did not ask for it; see an administrator",
    "service": "The token of this service lacks the scope '{scope}'; ask for it, or have it granted",
}


class require(SecurityBase):
    """A dependency that admits callers who have ``scope`` or one of ``others``: ``Depends(require("tweets:read"))``.

    Raises ``Unauthenticated`` (401), ``Forbidden`` (403), ``RateLimited`` (429), or ``Invalid`` (422) for a query
    parameter that the route does not have. Services among
    themselves are not rate limited; their callers' bulkheads bound them.
    """

    def __init__(self, scope: str, *others: str) -> None:
        self.scope, self.admitted = scope, {scope, *others}
        self.model = HTTPBearerModel(description="An access token, or an API key `castor_<id>_<secret>`.")
        self.scheme_name = "Bearer"

    async def __call__(self, request: Request) -> Principal:
        """Return the authorised caller."""
        info = current_request() or RequestInfo()
        authenticator: Authenticator = request.app.state.chassis.authenticator
        credentials = _bearer(request.headers.get("authorization"))
        principal = await authenticator.principal(credentials, info)
        info.principal = principal.label
        if self.admitted.isdisjoint(principal.scopes):
            AUTH_FAILURES.labels("scope").inc()
            raise Forbidden(reason=_LACKING[principal.kind].format(scope=self.scope))
        if principal.kind != "service":
            info.user_token = credentials
            if info.address is not None and info.give_back is None:
                # By subject: an API key has no places beside those of its owner.
                info.give_back = authenticator.places.take(principal.subject)
            await authenticator.limiter.check(principal.label, "principal")
        check_query(request)
        check_headers(request)
        return principal


class public:
    """Marks a route that needs no token, and says why; its callers are limited by address.

    A proof in the body is limited like a token: after too many failures of an address, all of it is refused.
    """

    def __init__(self, why: str, *, refuse_unknown: bool = True) -> None:
        self.why = why
        self._refuse_unknown = refuse_unknown

    async def __call__(self, request: Request) -> None:
        """Apply the limits of the caller's address, unless it is one of our services; raises ``RateLimited``."""
        info = current_request()
        if info is None or info.peer is None or not is_service(info.peer.service):
            authenticator: Authenticator = request.app.state.chassis.authenticator
            authenticator.failures.admit(info.address if info else None)
            await authenticator.limiter.check(client_address(request), "address")
        if self._refuse_unknown:
            check_query(request)
        check_headers(request)


def client_address(request: Request) -> str:
    """Return what the caller's address counts as in limits; the ingress and trusted proxies say whose it is."""
    info = current_request()
    if info is not None and info.address is not None:
        return info.address
    return limited_as(request.client.host) if request.client else "unknown"


def _bearer(header: str | None) -> str:
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        AUTH_FAILURES.labels("missing").inc()
        raise NoCredentials(reason="No token was sent")
    return credentials.strip()


def requirement_of(dependency: Any) -> str | None:
    """Return the scope that a dependency demands, "public", or None where it is neither; for contracts and tests."""
    if isinstance(dependency, require):
        return dependency.scope
    return "public" if isinstance(dependency, public) else None

"""Tokens for services: OAuth 2.0 client credentials (RFC 6749 section 4.4), bound to the client's certificate."""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.audit.recorder import Audit
from auth_service.audit.refusals import Refusals
from auth_service.credentials.service_clients import ServiceClients
from auth_service.errors import InvalidClient, InvalidTokenRequest, OAuthError, UnsupportedGrantType
from auth_service.metrics import attempt
from auth_service.tokens.grants import granted
from auth_service.tokens.issuer import TokenIssuer
from castor_chassis import Postgres
from castor_chassis.tls import PeerIdentity, is_service


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The form of the token endpoint; an absent parameter is empty."""

    grant_type: str
    audience: str
    scope: str
    client_id: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token and its scopes, space separated."""

    access_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True)
class ServiceTokens:
    """Issues tokens that are valid over one certificate only; needs the database for client secrets alone."""

    postgres: Postgres
    issuer: TokenIssuer
    audit: Audit
    clients: ServiceClients
    refusals: Refusals

    async def issue(self, request: TokenRequest, peer: PeerIdentity | None) -> ServiceToken:
        """Return a token for ``request.audience``; raises an ``OAuthError``, which is audited."""
        with attempt("client_credentials"):
            try:
                return await self._issue(request, peer)
            except OAuthError as refused:
                caller = (peer.service if peer else None) or "unknown"
                if not is_service(caller):
                    self.refusals.add(caller, refused.code)
                    raise
                why = {"reason": refused.code, "audience": request.audience[:128].replace("\x00", "")}
                await self.audit.record_if_possible(self.postgres, "service_token_refused", subject=caller, **why)
                raise

    async def _issue(self, request: TokenRequest, peer: PeerIdentity | None) -> ServiceToken:
        if not request.grant_type:
            raise InvalidTokenRequest("the parameter grant_type is missing")
        if request.grant_type != "client_credentials":
            raise UnsupportedGrantType("only client_credentials is supported")
        if peer is None:
            raise InvalidClient("a token is bound to a client certificate, and there is none")
        service = await self._authenticated(request, peer)
        if not request.audience:
            raise InvalidTokenRequest("the parameter audience is missing: name the service to be called")
        scopes = granted(service, request.audience, request.scope)
        token = await self.issuer.service_token(service, request.audience, scopes, peer.thumbprint)
        return ServiceToken(token, self.issuer.service_seconds, " ".join(sorted(scopes)))

    async def _authenticated(self, request: TokenRequest, peer: PeerIdentity) -> str:
        if request.client_id:
            # Over the ingress the token would be bound to a certificate that every outside caller shares.
            if peer.service is None or peer.service == "ingress":
                raise InvalidClient("a secret counts only over a certificate of spiffe://castor/ of one's own")
            return await self.clients.service_of(request.client_id, request.client_secret)
        if not is_service(peer.service):
            raise InvalidClient("the client certificate does not name a service of spiffe://castor/")
        return str(peer.service)

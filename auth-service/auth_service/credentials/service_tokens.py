"""Tokens for services: OAuth 2.0 client credentials (RFC 6749 section 4.4) and token exchange (RFC 8693).

Each is for one audience and bound to the client's certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.audit.summaries import Summaries
from auth_service.credentials.service_clients import ServiceClients
from auth_service.errors import InvalidClient, InvalidTokenRequest, OAuthError, UnsupportedGrantType
from auth_service.metrics import attempt
from auth_service.tokens.grants import granted
from auth_service.tokens.issuer import Delegator, TokenIssuer
from castor_chassis import ApiKeyVerifier, Postgres, TokenVerifier, Unauthenticated
from castor_chassis.tls import PeerIdentity, is_service

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
API_KEY = "urn:castor:token-type:api_key"
"""Type of a subject token that is one of our API keys (RFC 8693 section 3 leaves other types to the parties)."""
_REFUSED = "service_token_refused"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The form of the token endpoint; an absent parameter is empty."""

    grant_type: str
    audience: str
    scope: str
    client_id: str = ""
    client_secret: str = ""
    subject_token: str = ""
    subject_token_type: str = ""


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token and its scopes, space separated."""

    access_token: str
    expires_in: int
    scope: str
    issued_token_type: str | None = None
    """Of an exchange (RFC 8693 section 2.2.1)."""


@dataclass(frozen=True)
class ServiceTokens:
    """Issues tokens that are valid over one certificate only; needs the database for client secrets alone."""

    postgres: Postgres
    issuer: TokenIssuer
    clients: ServiceClients
    summaries: Summaries
    verifier: TokenVerifier
    api_keys: ApiKeyVerifier

    async def issue(self, request: TokenRequest, peer: PeerIdentity | None) -> ServiceToken:
        """Return a token for ``request.audience``; raises an ``OAuthError``, which is audited."""
        with attempt("token_exchange" if request.grant_type == EXCHANGE else "client_credentials"):
            try:
                return await self._issue(request, peer)
            except OAuthError as refused:
                caller = (peer.service if peer else None) or "unknown"
                await self._record(caller, refused.code, request.audience)
                raise

    async def _record(self, caller: str, reason: str, audience: str) -> None:
        if not is_service(caller):
            self.summaries.count(_REFUSED, caller, reason)
            return
        asked = audience[:128].replace("\x00", "")
        await self.summaries.record_if_possible(self.postgres, _REFUSED, subject=caller, reason=reason, audience=asked)

    async def _issue(self, request: TokenRequest, peer: PeerIdentity | None) -> ServiceToken:
        if not request.grant_type:
            raise InvalidTokenRequest("the parameter grant_type is missing")
        if request.grant_type not in ("client_credentials", EXCHANGE):
            raise UnsupportedGrantType(f"only client_credentials and {EXCHANGE} are supported")
        if peer is None:
            raise InvalidClient("a token is bound to a client certificate, and there is none")
        service = await self._authenticated(request, peer)
        if not request.audience:
            raise InvalidTokenRequest("the parameter audience is missing: name the service to be called")
        scopes = granted(service, request.audience, request.scope)
        if request.grant_type == EXCHANGE:
            return await self._exchanged(request, service, scopes, peer.thumbprint)
        token = await self.issuer.service_token(service, request.audience, scopes, peer.thumbprint)
        return ServiceToken(token, self.issuer.service_seconds, " ".join(sorted(scopes)))

    async def _exchanged(
        self, request: TokenRequest, service: str, scopes: frozenset[str], thumbprint: str
    ) -> ServiceToken:
        """Return a token that says to one peer for which user ``service`` calls; it is of no use to anybody else.

        Its scopes are those that the user holds of what the service is granted there, which may be none.
        """
        subject = await self._subject(request)
        held = scopes & subject.scopes
        token, seconds = await self.issuer.delegation(subject, service, request.audience, held, thumbprint)
        return ServiceToken(token, seconds, " ".join(sorted(held)), ACCESS_TOKEN)

    async def _subject(self, request: TokenRequest) -> Delegator:
        if request.subject_token_type == ACCESS_TOKEN:
            return await self._user(request.subject_token)
        if request.subject_token_type == API_KEY:
            return await self._key_owner(request.subject_token)
        raise InvalidTokenRequest(f"subject_token_type must be {ACCESS_TOKEN} or {API_KEY}")

    async def _user(self, token: str) -> Delegator:
        try:
            user = await self.verifier.verify(token, None)
        except Unauthenticated as refused:
            raise InvalidTokenRequest("subject_token is not a valid access token of a user") from refused
        if user.use not in ("user", "service_account") or user.session_id is None:
            raise InvalidTokenRequest("subject_token is not an access token of a user or a service account")
        return Delegator(user.subject, user.org, user.session_id, user.scopes, user.expires_at)

    async def _key_owner(self, key: str) -> Delegator:
        owner = await self.api_keys.verify(key)
        if owner is None or owner.token_id is None:
            raise InvalidTokenRequest("subject_token is not an API key in force")
        # A key has no session; its id stands for one, so that the token ends with the key.
        return Delegator(owner.subject, owner.org, owner.token_id, owner.scopes)

    async def _authenticated(self, request: TokenRequest, peer: PeerIdentity) -> str:
        if request.client_id:
            # Over the ingress the token would be bound to a certificate that every outside caller shares.
            if peer.service is None or peer.service == "ingress":
                raise InvalidClient("a secret counts only over a certificate of spiffe://castor/ of one's own")
            return await self.clients.service_of(request.client_id, request.client_secret)
        if not is_service(peer.service):
            raise InvalidClient("the client certificate does not name a service of spiffe://castor/")
        return str(peer.service)

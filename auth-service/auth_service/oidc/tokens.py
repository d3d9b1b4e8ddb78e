"""The token endpoint of OpenID Connect clients: codes and refresh tokens become tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChanges
from auth_service.crypto.digests import digest
from auth_service.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidRefreshToken,
    InvalidTokenRequest,
    UnsupportedGrantType,
)
from auth_service.metrics import attempt
from auth_service.oidc import code_repository
from auth_service.oidc.clients import OidcClients
from auth_service.oidc.id_tokens import IdTokens
from auth_service.oidc.model import CollectableLogin
from auth_service.sessions.model import ClientGrant
from auth_service.sessions.service import OpenSession, Sessions, TokenPair
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import Postgres

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """The form of the token endpoint; an absent parameter is empty."""

    grant_type: str
    client_id: str
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    refresh_token: str = ""


@dataclass(frozen=True, slots=True)
class ClientTokens:
    """What a client gets."""

    pair: TokenPair
    id_token: str


@dataclass(frozen=True)
class ClientTokenEndpoint:
    """Exchanges codes and refresh tokens."""

    postgres: Postgres
    clients: OidcClients
    changes: AccountChanges
    sessions: Sessions
    id_tokens: IdTokens

    async def exchange(self, request: CodeRequest, client: Client) -> ClientTokens:
        """Return the tokens that ``request`` asks for; raises an ``OAuthError``."""
        if request.grant_type not in ("authorization_code", "refresh_token"):
            raise UnsupportedGrantType("grant_type must be authorization_code, refresh_token or client_credentials")
        if await self.clients.find(request.client_id) is None:
            raise InvalidClient("the client is not registered")
        if request.grant_type == "refresh_token":
            return await self._refreshed(request, client)
        with attempt("authorization_code"):
            return await self._collected(request, client)

    async def _refreshed(self, request: CodeRequest, client: Client) -> ClientTokens:
        if not request.refresh_token:
            raise InvalidTokenRequest("the parameter refresh_token is missing")
        try:
            user, session = await self.sessions.advance(request.refresh_token, client, client_id=request.client_id)
        except InvalidRefreshToken as refused:
            raise InvalidGrant("the refresh token is unknown, used, expired, revoked or another client's") from refused
        # Another ID token as well (OpenID Connect Core section 12.2): the first one ends with the key that signed it.
        return await self._tokens(user, session)

    async def _collected(self, request: CodeRequest, client: Client) -> ClientTokens:
        code_hash = digest(request.code)
        login = await code_repository.find(self.postgres, code_hash)
        if login is None or not _is_meant_for(login, request):
            raise InvalidGrant("the code is unknown, or was given to another client, redirect URI or verifier")
        user, session = await self._used(code_hash, login, client)
        return await self._tokens(user, session, login.nonce)

    async def _tokens(self, user: User, session: OpenSession, nonce: str | None = None) -> ClientTokens:
        id_token = await self.id_tokens.issue(user, session, nonce)
        return ClientTokens(await self.sessions.pair(user, session), id_token)

    async def _used(self, code_hash: bytes, login: CollectableLogin, client: Client) -> tuple[User, OpenSession]:
        """Return the session that a code begins; a second use ends the one that the first began (RFC 6749, 4.1.2)."""
        session: OpenSession | None = None
        async with self.changes.begin(str(login.user_id), client) as change:
            # Read again under the lock of the account: of two simultaneous uses one sees the other's.
            present = await code_repository.find(change.db, code_hash)
            user = await users.by_id(change.db, login.user_id)
            if present is not None and present.session_id is not None:
                await change.end_session(str(present.session_id), "authorization_code_reuse")
            elif present is not None and user is not None and _holds(present, user):
                grant = ClientGrant(login.client_id, login.scopes)
                session = await change.begin_session(user, login.amr, authenticated_at=login.auth_time, grant=grant)
                await code_repository.use(change.db, code_hash, session.id)
        if user is None or session is None:
            raise InvalidGrant("the code was used, has expired, or the account changed since the login")
        return user, session


def _holds(login: CollectableLogin, user: User) -> bool:
    return not login.expired and user.is_active and login.made_under == user.credentials_changed_at


def _is_meant_for(login: CollectableLogin, request: CodeRequest) -> bool:
    if (login.client_id, login.redirect_uri) != (request.client_id, request.redirect_uri):
        return False
    shown = _VERIFIER.fullmatch(request.code_verifier)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(request.code_verifier.encode()).digest()).rstrip(b"=")
    return shown is not None and hmac.compare_digest(challenge, login.challenge.encode())

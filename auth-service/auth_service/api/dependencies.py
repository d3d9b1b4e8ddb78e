"""What the routes depend on: the services behind them, and who may call."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import Depends, Path, Request, Response

from auth_service.accounts.administration import Administration
from auth_service.accounts.email_change import EmailChange
from auth_service.accounts.login import Login
from auth_service.accounts.password_reset import PasswordReset
from auth_service.accounts.registration import Registration
from auth_service.accounts.self_service import SelfService
from auth_service.api.schemas.api_keys import ApiKeyView
from auth_service.api.schemas.fields import UUID_TEXT
from auth_service.api.schemas.login import SessionView, TokensView
from auth_service.api.schemas.passkeys import PasskeyView
from auth_service.api.schemas.users import UserView
from auth_service.audit.service import AuditChain
from auth_service.credentials.api_keys import ApiKeys
from auth_service.credentials.model import Remaining
from auth_service.credentials.service_clients import ServiceClients
from auth_service.credentials.service_tokens import ServiceTokens
from auth_service.errors import InvalidClient, InvalidTokenRequest, OAuthError, OwnAccount
from auth_service.mfa.service import Mfa
from auth_service.oidc.authorization import Authorization
from auth_service.oidc.clients import OidcClients
from auth_service.oidc.id_tokens import IdTokens
from auth_service.oidc.tokens import ClientTokenEndpoint
from auth_service.organisations.service import Organisations
from auth_service.passkeys.service import Passkeys
from auth_service.revocations.service import Revocations
from auth_service.service_accounts.service import ServiceAccounts
from auth_service.service_accounts.tokens import ServiceAccountTokens
from auth_service.sessions.service import Sessions, TokenPair
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.users.client import Client
from auth_service.users.model import Actor, User
from auth_service.users.roles import DEFAULT_ORGANISATION, Scope
from auth_service.users.saved_views import SavedViews
from auth_service.users.service import Users
from castor_chassis import (
    Forbidden,
    Order,
    Principal,
    ServiceError,
    Text,
    Timestamp,
    TokenVerifier,
    client_address,
    current_request,
    provided,
    public,
    require,
)
from castor_chassis.tls import PeerIdentity, is_service


@dataclass(frozen=True)
class Resources:
    """The services that the routes call."""

    users: Users
    login: Login
    registration: Registration
    self_service: SelfService
    saved_views: SavedViews
    password_reset: PasswordReset
    email_change: EmailChange
    mfa: Mfa
    administration: Administration
    sessions: Sessions
    api_keys: ApiKeys
    service_clients: ServiceClients
    service_tokens: ServiceTokens
    service_accounts: ServiceAccounts
    service_account_tokens: ServiceAccountTokens
    signing_keys: SigningKeys
    verifier: TokenVerifier
    revocations: Revocations
    audit_chain: AuditChain
    organisations: Organisations
    passkeys: Passkeys
    oidc_clients: OidcClients
    authorization: Authorization
    client_tokens: ClientTokenEndpoint
    id_tokens: IdTokens
    jwks_cache_seconds: int
    account_readers: frozenset[str]
    """Services that may read accounts."""


async def client(request: Request) -> Client:
    """Return where the request comes from."""
    return Client(client_address(request), request.headers.get("user-agent", "")[:256])


async def peer_certificate() -> PeerIdentity | None:
    """Return the identity of the client's certificate."""
    info = current_request()
    return info.peer if info else None


async def no_store(response: Response) -> None:
    """Keep a response that holds a secret out of every cache (RFC 6749 section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


def count_guess(request: Request, error: ServiceError | OAuthError) -> None:
    """Count a refusal that does not pass the chassis's handler of errors as a failed authentication, if it is one."""
    info = current_request()
    if error.is_guess and info is not None:
        request.app.state.chassis.authenticator.failures.count(info.address)


async def form_fields(request: Request, names: Iterable[str]) -> dict[str, str]:
    """Return fields of an OAuth form, absent ones empty.

    Raises ``InvalidTokenRequest`` for one that is given twice, and ``InvalidClient`` for a client whose id holds
    characters that no id has.
    """
    form = await request.form(max_files=0, max_fields=20)
    given = {name: form.getlist(name) for name in names}
    for name, values in given.items():
        if len(values) > 1:
            raise InvalidTokenRequest(f"the parameter {name} is given more than once")
    return _with_client({name: str(values[0]) if values else "" for name, values in given.items()})


def _with_client(fields: dict[str, str]) -> dict[str, str]:
    """Return ``fields``; raises ``InvalidClient`` for an id that PostgreSQL, which is asked for it, may not hold."""
    if not fields.get("client_id", "").isprintable():
        raise InvalidClient("the client is not registered")
    return fields


def basic_client(header: str | None) -> dict[str, str] | None:
    """Return the client's id and secret of an HTTP Basic header, which form-encodes them; None for any other.

    Raises ``InvalidClient`` for one that cannot be read (RFC 6749 section 2.3.1).
    """
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, found, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError as error:
        raise InvalidClient("the Basic header cannot be read") from error
    if not found or not name:
        raise InvalidClient("the Basic header names no client")
    return _with_client({"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)})


async def client_form(request: Request, names: Iterable[str]) -> dict[str, str]:
    """Return fields of an OAuth form, the client's as the form or the Basic header gives them.

    Raises ``InvalidTokenRequest`` for a parameter, or a client, that is given twice (RFC 6749 section 3.2).
    """
    found = await form_fields(request, names)
    basic = basic_client(request.headers.get("authorization"))
    if basic is not None and (found["client_id"] or found["client_secret"]):
        raise InvalidTokenRequest("the client is named twice, in the form and in the header")
    return {**found, **(basic or {})}


class services_only(public):  # noqa: N801 (reads as a verb in Depends)
    """A route without a token for whoever has the certificate of a service."""

    async def __call__(self, request: Request) -> None:
        """Raise ``Forbidden`` for all others."""
        info = current_request()
        if info is None or info.peer is None or not is_service(info.peer.service):
            raise Forbidden(reason="Paths under /internal are for services only")
        await super().__call__(request)


class by_user(require):  # noqa: N801 (reads as a verb in Depends)
    """``require`` for what a user does in person: an API key must not make or revoke keys."""

    async def __call__(self, request: Request) -> Principal:
        """Return the user; raises ``Forbidden`` for keys and services as well."""
        principal = await super().__call__(request)
        if principal.kind != "user":
            raise Forbidden(reason="This takes a user's access token; log in with POST /v1/auth/login")
        return principal


NEWEST = Order(tuple[Timestamp, Text], lambda one: (one.created_at, str(one.id)), newest_first=True)
UserId = Annotated[str, UUID_TEXT, Path()]
SessionId = Annotated[str, UUID_TEXT, Path(description="From the list of one's sessions.")]
Administrator = Annotated[Principal, Depends(by_user(Scope.USERS_ADMIN))]


Operator = Annotated[Principal, Depends(by_user(Scope.ORGANISATIONS_ADMIN))]


def within(principal: Principal) -> str | None:
    """Return the only organisation whose accounts an administrator may see and change; None: all.

    A token that says none reaches nothing: it was issued before there were organisations.
    """
    return None if principal.org == DEFAULT_ORGANISATION else (principal.org or "")


def actor(by: Principal) -> Actor:
    """Return the administrator who acts."""
    return Actor(by.subject, within(by))


async def another_user(user_id: UserId, by: Administrator) -> str:
    """Return the user that an administrator acts on; raises ``OwnAccount`` for the administrator's own id."""
    return _not_of(user_id, by)


async def another_member(user_id: UserId, by: Operator) -> str:
    """Return the user that an administrator of the platform acts on; raises ``OwnAccount``."""
    return _not_of(user_id, by)


def _not_of(user_id: str, by: Principal) -> str:
    if uuid.UUID(user_id) == uuid.UUID(by.subject):
        raise OwnAccount
    return user_id


def session_view(user: User, tokens: TokenPair) -> SessionView:
    """Return a session as clients see it."""
    return SessionView(user=UserView.model_validate(user), tokens=TokensView.model_validate(tokens))


def remaining_views(left: Remaining) -> dict[str, Any]:
    """Return API keys and passkeys as their owner sees them, by the names of the fields of an answer."""
    keys, passkeys = map(ApiKeyView.model_validate, left.api_keys), map(PasskeyView.model_validate, left.passkeys)
    return {"api_keys": list(keys), "passkeys": list(passkeys)}


R = Annotated[Resources, provided(Resources)]


async def account_reader(r: R) -> None:
    """Raise ``Forbidden`` for a service that was not granted the reading of accounts."""
    info = current_request()
    service = info.peer.service if info is not None and info.peer is not None else None
    if service not in r.account_readers:
        raise Forbidden(reason=f"ACCOUNT_READERS of auth-service does not name {service}, which so reads no accounts")


From = Annotated[Client, Depends(client)]
AccountOwner = Annotated[Principal, Depends(by_user(Scope.ACCOUNT_MANAGE))]
KeyOwner = Annotated[Principal, Depends(by_user(Scope.KEYS_MANAGE))]
Another = Annotated[str, Depends(another_user)]
AnotherMember = Annotated[str, Depends(another_member)]
# Reading takes the scope alone, so that a program with an API key can collect events.
UsersReader = Annotated[Principal, Depends(require(Scope.USERS_ADMIN))]

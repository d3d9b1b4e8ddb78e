"""What the routes stand on: resources, and who may come in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request, Response

from auth_service.accounts.administration import Administration
from auth_service.accounts.login import Accounts
from auth_service.accounts.password_reset import Recovery
from auth_service.accounts.registration import Registration
from auth_service.accounts.self_service import Profile
from auth_service.api.schemas.fields import SessionView, TokensView, UserView
from auth_service.audit.hash_chain import AuditChain
from auth_service.audit.recorder import Client
from auth_service.credentials.api_keys import ApiKeys
from auth_service.credentials.service_clients import ServiceClients
from auth_service.credentials.service_tokens import ServiceTokens
from auth_service.errors import OwnAccount
from auth_service.mfa.service import SecondFactor
from auth_service.revocations.service import Revocations
from auth_service.sessions.service import Sessions, TokenPair
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.users.repository import User
from auth_service.users.roles import Scope
from castor_chassis import (
    Forbidden,
    Principal,
    TokenVerifier,
    client_address,
    current_request,
    provided,
    public,
    require,
)
from castor_chassis.tls import PeerIdentity


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    accounts: Accounts
    sessions: Sessions
    service_tokens: ServiceTokens
    api_keys: ApiKeys
    signing_keys: SigningKeys
    verifier: TokenVerifier
    revocations: Revocations
    clients: ServiceClients
    jwks_cache_seconds: int
    audit_chain: AuditChain
    registration: Registration
    profile: Profile
    recovery: Recovery
    second_factor: SecondFactor
    administration: Administration


async def client(request: Request) -> Client:
    """Return where the request comes from."""
    return Client(client_address(request), request.headers.get("user-agent", "")[:256])


async def peer_certificate() -> PeerIdentity | None:
    """Return whose certificate the connection was opened with."""
    info = current_request()
    return info.peer if info else None


async def no_store(response: Response) -> None:
    """Keep an answer that holds a secret out of every cache (RFC 6749 section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


def _from_service() -> bool:
    info = current_request()
    peer = info.peer if info else None
    return peer is not None and (peer.service or "").endswith("-service")


class among_services(public):  # noqa: N801 (reads as a verb in Depends)
    """An open route that services live on: only those who are none are limited by address."""

    async def __call__(self, request: Request) -> None:
        """Apply the limit to strangers."""
        if not _from_service():
            await super().__call__(request)


class services_only(public):  # noqa: N801 (reads as a verb in Depends)
    """A route without a token for whoever has the certificate of a service."""

    async def __call__(self, request: Request) -> None:  # noqa: ARG002 (the signature of ``public``)
        """Raise ``Forbidden`` for all others."""
        if not _from_service():
            raise Forbidden(reason="Paths under /internal are for services only")


class by_user(require):  # noqa: N801 (reads as a verb in Depends)
    """``require`` for what a user does in person: an API key must not make or revoke keys."""

    async def __call__(self, request: Request) -> Principal:
        """Return the user; raises ``Forbidden`` for keys and services as well."""
        principal = await super().__call__(request)
        if principal.kind != "user":
            raise Forbidden(reason="This takes a user's access token; log in with POST /v1/auth/login")
        return principal


_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
UserId = Annotated[str, Path(pattern=_UUID)]
# Whoever changes accounts comes in person, without an API key.
Administrator = Annotated[Principal, Depends(by_user(Scope.USERS_ADMIN))]


def session_view(user: User, tokens: TokenPair) -> SessionView:
    """Return a session as clients see it."""
    return SessionView(user=UserView.model_validate(user), tokens=TokensView.model_validate(tokens))


async def another_user(user_id: UserId, by: Administrator) -> str:
    """Return whom an administrator acts on; raises ``OwnAccount`` for himself."""
    if uuid.UUID(user_id) == uuid.UUID(by.subject):
        raise OwnAccount
    return user_id


R = Annotated[Resources, provided(Resources)]
From = Annotated[Client, Depends(client)]
AccountOwner = Annotated[Principal, Depends(by_user(Scope.ACCOUNT_MANAGE))]
KeyOwner = Annotated[Principal, Depends(by_user(Scope.KEYS_MANAGE))]
Another = Annotated[str, Depends(another_user)]

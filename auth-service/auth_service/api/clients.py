"""Rotation of API keys by their owners, and service clients with a secret for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from auth_service.api.dependencies import From, KeyOwner, R, by_user, no_store
from auth_service.api.login import KeyId
from auth_service.api.schemas.fields import ApiKeyView, NewApiKeyView, RotateKeyRequest
from auth_service.api.schemas.internal import ClientRequest, ClientView, NewClientView, RotateClientRequest
from auth_service.errors import ApiKeyNotFound, ClientNotFound
from auth_service.tokens.key_repository import ServiceClient
from auth_service.users.roles import Scope
from castor_chassis import Ok, Page, Principal, errors_of, ok, page

router = APIRouter(prefix="/v1/auth", tags=["auth"])
Administrator = Annotated[Principal, Depends(by_user(Scope.USERS_ADMIN))]
ClientId = Annotated[str, Path(pattern=r"^castor-client-[0-9a-f]{12}$", description="From the list of clients.")]
_SECRET = [Depends(no_store)]


@router.post("/api-keys/{key_id}/rotate", responses=errors_of(ApiKeyNotFound), dependencies=_SECRET)
async def rotate_api_key(
    key_id: KeyId, body: RotateKeyRequest, r: R, client: From, owner: KeyOwner
) -> Ok[NewApiKeyView]:
    """Give a key another secret, shown once; the one before holds for the grace period. Not idempotent."""
    lifetime, grace = timedelta(days=body.expires_in_days), timedelta(seconds=body.grace_seconds)
    key, text = await r.api_keys.rotate(owner, key_id, lifetime, grace, client)
    return ok(NewApiKeyView(**ApiKeyView.model_validate(key).model_dump(), key=text))


@router.post("/clients", status_code=201, dependencies=_SECRET)
async def create_client(body: ClientRequest, r: R, client: From, admin: Administrator) -> Ok[NewClientView]:
    """Make a client that gets tokens as one of the services by a secret, shown once. Not idempotent."""
    return ok(_shown(*await r.clients.create(body.service, admin.subject, client)))


@router.get("/clients")
async def list_clients(r: R, _: Administrator) -> Page[ClientView]:
    """Return the clients in force, newest first; at most 200, in one page."""
    return page([ClientView.model_validate(one) for one in await r.clients.all()])


@router.post("/clients/{client_id}/rotate", responses=errors_of(ClientNotFound), dependencies=_SECRET)
async def rotate_client(
    client_id: ClientId, body: RotateClientRequest, r: R, client: From, admin: Administrator
) -> Ok[NewClientView]:
    """Give a client another secret, shown once; the one before holds for the grace period. Not idempotent."""
    grace = timedelta(seconds=body.grace_seconds)
    return ok(_shown(*await r.clients.rotate(client_id, grace, admin.subject, client)))


@router.delete("/clients/{client_id}", responses=errors_of(ClientNotFound))
async def revoke_client(client_id: ClientId, r: R, client: From, admin: Administrator) -> Ok[ClientView]:
    """End a client; tokens it has already hold for five minutes at most."""
    return ok(ClientView.model_validate(await r.clients.revoke(client_id, admin.subject, client)))


def _shown(made: ServiceClient, secret: str) -> NewClientView:
    return NewClientView(**ClientView.model_validate(made).model_dump(), client_secret=secret)

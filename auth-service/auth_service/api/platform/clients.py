"""Routes of service clients with a secret, for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from auth_service.api.dependencies import NEWEST, From, Operator, R, no_store
from auth_service.api.schemas.clients import ClientRequest, ClientView, NewClientView, RotateClientRequest
from auth_service.credentials.model import ServiceClient
from auth_service.errors import ClientNotFound
from castor_chassis import IdempotencyInFlight, Ok, Once, Page, Paged, Pattern, errors_of, ok

router = APIRouter(prefix="/v1/auth/clients", tags=["auth"])
ClientId = Annotated[
    str,
    Pattern(r"^castor-client-[0-9a-f]{12}$", "must be an id such as castor-client-0123456789ab"),
    Path(description="From the list of clients."),
]


@router.post("", status_code=201, responses=errors_of(IdempotencyInFlight), dependencies=[Depends(no_store)])
async def create_client(body: ClientRequest, r: R, client: From, admin: Operator, _once: Once) -> Ok[NewClientView]:
    """Make a client that gets tokens as one of the services by a secret, shown once.

    Idempotent with an Idempotency-Key.
    """
    return ok(_with_secret(*await r.service_clients.create(body.service, admin.subject, client)))


@router.get("")
async def list_clients(
    r: R, _: Operator, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[ClientView]:
    """Return the clients in force, newest first."""
    return cursor.page_of(await r.service_clients.in_force(), limit, NEWEST, ClientView.model_validate)


@router.post("/{client_id}/rotate", responses=errors_of(ClientNotFound), dependencies=[Depends(no_store)])
async def rotate_client(
    client_id: ClientId, body: RotateClientRequest, r: R, client: From, admin: Operator
) -> Ok[NewClientView]:
    """Give a client another secret, shown once; the one before holds for the grace period. Not idempotent."""
    grace = timedelta(seconds=body.grace_seconds)
    return ok(_with_secret(*await r.service_clients.rotate(client_id, grace, admin.subject, client)))


@router.delete("/{client_id}", responses=errors_of(ClientNotFound))
async def revoke_client(client_id: ClientId, r: R, client: From, admin: Operator) -> Ok[ClientView]:
    """End a client; tokens it has already hold for five minutes at most."""
    return ok(ClientView.model_validate(await r.service_clients.revoke(client_id, admin.subject, client)))


def _with_secret(made: ServiceClient, secret: str) -> NewClientView:
    return NewClientView(**ClientView.model_validate(made).model_dump(), client_secret=secret)

"""Routes of registered frontends, for administrators."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from auth_service.api.dependencies import From, Operator, R
from auth_service.api.oidc.schemas import OidcClientRequest, OidcClientView
from auth_service.errors import OidcClientNotFound
from auth_service.oidc.clients import CONSOLE
from castor_chassis import IdempotencyInFlight, Ok, Once, Order, Page, Paged, Pattern, Text, Timestamp, errors_of, ok

router = APIRouter(prefix="/v1/auth/oidc/clients", tags=["oidc"])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = Order(
    tuple[bool, Timestamp, Text], lambda one: (one.id == CONSOLE, one.created_at or _EPOCH, one.id), newest_first=True
)
OidcClientId = Annotated[
    str,
    Pattern(r"^castor-app-[0-9a-f]{12}$", "must be an id such as castor-app-0123456789ab"),
    Path(description="From the list of clients."),
]


@router.post("", status_code=201, responses=errors_of(IdempotencyInFlight))
async def register_oidc_client(
    body: OidcClientRequest, r: R, client: From, admin: Operator, _once: Once
) -> Ok[OidcClientView]:
    """Register a frontend that sends its users here to log in. Idempotent with an Idempotency-Key."""
    made = await r.oidc_clients.register(
        body.name, body.redirect_uris, body.post_logout_redirect_uris, body.scopes, admin.subject, client
    )
    return ok(OidcClientView.model_validate(made))


@router.get("")
async def list_oidc_clients(
    r: R, _: Operator, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[OidcClientView]:
    """Return the registered frontends, the console first, then the newest."""
    return cursor.page_of(await r.oidc_clients.in_force(), limit, _ORDER, OidcClientView.model_validate)


@router.delete("/{client_id}", responses=errors_of(OidcClientNotFound))
async def revoke_oidc_client(client_id: OidcClientId, r: R, client: From, admin: Operator) -> Ok[OidcClientView]:
    """End a frontend: no more logins, no more refreshes; its access tokens are valid for 15 minutes at most."""
    return ok(OidcClientView.model_validate(await r.oidc_clients.revoke(client_id, admin.subject, client)))

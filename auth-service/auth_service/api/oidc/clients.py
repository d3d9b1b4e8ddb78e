"""Routes of registered frontends, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from auth_service.api.dependencies import From, Operator, R
from auth_service.api.oidc.schemas import OidcClientRequest, OidcClientView
from auth_service.errors import OidcClientNotFound
from castor_chassis import Ok, Page, errors_of, ok, page

router = APIRouter(prefix="/v1/auth/oidc/clients", tags=["oidc"])
OidcClientId = Annotated[str, Path(pattern=r"^castor-app-[0-9a-f]{12}$", description="From the list of clients.")]


@router.post("", status_code=201)
async def register_oidc_client(body: OidcClientRequest, r: R, client: From, admin: Operator) -> Ok[OidcClientView]:
    """Register a frontend that sends its users here to log in. Not idempotent."""
    made = await r.oidc_clients.register(
        body.name, body.redirect_uris, body.post_logout_redirect_uris, body.scopes, admin.subject, client
    )
    return ok(OidcClientView.model_validate(made))


@router.get("")
async def list_oidc_clients(r: R, _: Operator) -> Page[OidcClientView]:
    """Return the registered frontends, the console first, then the newest; in one page."""
    return page([OidcClientView.model_validate(one) for one in await r.oidc_clients.in_force()])


@router.delete("/{client_id}", responses=errors_of(OidcClientNotFound))
async def revoke_oidc_client(client_id: OidcClientId, r: R, client: From, admin: Operator) -> Ok[OidcClientView]:
    """End a frontend: no more logins, no more refreshes; its access tokens are valid for 15 minutes at most."""
    return ok(OidcClientView.model_validate(await r.oidc_clients.revoke(client_id, admin.subject, client)))

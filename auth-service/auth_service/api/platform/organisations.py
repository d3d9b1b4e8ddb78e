"""Routes of organisations, for administrators of the default one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from auth_service.api.dependencies import AnotherMember, From, Operator, R, actor
from auth_service.api.platform.schemas import MembershipRequest, OrganisationId, OrganisationRequest, OrganisationView
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.users import ManagedUserView
from auth_service.errors import LastAdministrator, OrganisationExists, OrganisationNotFound, OwnAccount, UserNotFound
from castor_chassis import IdempotencyInFlight, Ok, Once, Order, Page, Paged, errors_of, ok

router = APIRouter(prefix="/v1/auth", tags=["administration"])
_BY_ID = Order(tuple[OrganisationId], lambda one: (one.id,))


@router.post("/organisations", status_code=201, responses=errors_of(OrganisationExists, IdempotencyInFlight))
async def create_organisation(body: OrganisationRequest, r: R, client: From, by: Operator, _once: Once) -> Ok[DoneView]:
    """Make an organisation without accounts."""
    await r.organisations.create(body.id, body.name, actor(by), client)
    return ok(DoneView())


@router.get("/organisations")
async def list_organisations(
    r: R, _: Operator, cursor: Paged, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Page[OrganisationView]:
    """Return the organisations by their ids."""
    return cursor.page_of(await r.organisations.listed(), limit, _BY_ID, OrganisationView.model_validate)


@router.put(
    "/users/{user_id}/organisation",
    responses=errors_of(UserNotFound, OrganisationNotFound, OwnAccount, LastAdministrator),
)
async def set_organisation(
    user_id: AnotherMember, body: MembershipRequest, r: R, client: From, by: Operator
) -> Ok[ManagedUserView]:
    """Let an account belong to another organisation; its sessions end, so that no token names the former one."""
    return ok(ManagedUserView.model_validate(await r.organisations.move(user_id, body.org, actor(by), client)))

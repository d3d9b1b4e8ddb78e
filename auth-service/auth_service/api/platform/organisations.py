"""Routes of organisations, for administrators of the default one."""

from __future__ import annotations

from fastapi import APIRouter

from auth_service.api.dependencies import AnotherMember, From, Operator, R, actor
from auth_service.api.platform.schemas import MembershipRequest, OrganisationRequest, OrganisationView
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.users import ManagedUserView
from auth_service.errors import LastAdministrator, OrganisationExists, OrganisationNotFound, OwnAccount, UserNotFound
from castor_chassis import Ok, Page, errors_of, ok, page

router = APIRouter(prefix="/v1/auth", tags=["administration"])


@router.post("/organisations", status_code=201, responses=errors_of(OrganisationExists))
async def create_organisation(body: OrganisationRequest, r: R, client: From, by: Operator) -> Ok[DoneView]:
    """Make an organisation without accounts."""
    await r.organisations.create(body.id, body.name, actor(by), client)
    return ok(DoneView())


@router.get("/organisations")
async def list_organisations(r: R, _: Operator) -> Page[OrganisationView]:
    """Return the organisations by their ids, at most 1,000, in one page."""
    return page([OrganisationView.model_validate(one) for one in await r.organisations.listed()])


@router.put(
    "/users/{user_id}/organisation",
    responses=errors_of(UserNotFound, OrganisationNotFound, OwnAccount, LastAdministrator),
)
async def set_organisation(
    user_id: AnotherMember, body: MembershipRequest, r: R, client: From, by: Operator
) -> Ok[ManagedUserView]:
    """Let an account belong to another organisation; its sessions end, so that no token names the former one."""
    return ok(ManagedUserView.model_validate(await r.organisations.move(user_id, body.org, actor(by), client)))

"""Routes of one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from auth_service.api.dependencies import AccountOwner, From, R, no_store, remaining_views, session_view
from auth_service.api.schemas.fields import UUID_TEXT
from auth_service.api.schemas.me import (
    ChangeEmailRequest,
    ChangePasswordRequest,
    PasswordChangedView,
    PasswordRequest,
    SavedViewRequest,
    SavedViewView,
)
from auth_service.api.schemas.outcomes import AskedView, DoneView
from auth_service.api.schemas.users import ProfileRequest, UserView
from auth_service.credentials.model import AlsoEnded
from auth_service.errors import (
    LastAdministrator,
    OutboxFull,
    SavedViewNotFound,
    TooManyAttempts,
    TooManySavedViews,
    UserNotFound,
    WeakPassword,
    WrongPassword,
)
from castor_chassis import Ok, Order, Page, Paged, Text, errors_of, ok

router = APIRouter(prefix="/v1/auth/me")
_BY_NAME = Order(tuple[Text], lambda one: (one.name,))
ViewId = Annotated[str, UUID_TEXT, Path(description="From the list of one's saved views.")]


@router.get("", responses=errors_of(UserNotFound), tags=["auth"])
async def get_me(r: R, owner: AccountOwner) -> Ok[UserView]:
    """Return one's own account."""
    return ok(UserView.model_validate(await r.users.get(owner.subject)))


@router.patch("", responses=errors_of(UserNotFound), tags=["accounts"])
async def update_me(body: ProfileRequest, r: R, client: From, owner: AccountOwner) -> Ok[UserView]:
    """Change what one says about oneself."""
    changes = body.model_dump(exclude_unset=True)
    return ok(UserView.model_validate(await r.self_service.update(owner.subject, changes, client)))


@router.post(
    "/password",
    responses=errors_of(UserNotFound, WrongPassword, WeakPassword, TooManyAttempts),
    dependencies=[Depends(no_store)],
    tags=["accounts"],
)
async def change_password(
    body: ChangePasswordRequest, r: R, client: From, owner: AccountOwner
) -> Ok[PasswordChangedView]:
    """Set another password: all sessions end, and a new one begins in this answer.

    API keys and passkeys end as well if asked; the answer lists those that are left.
    """
    passwords, also = (body.current_password, body.new_password), AlsoEnded(body.revoke_api_keys, body.remove_passkeys)
    user, tokens, left = await r.self_service.change_password(owner.subject, *passwords, client, also)
    return ok(PasswordChangedView(**dict(session_view(user, tokens)), **remaining_views(left)))


@router.post(
    "/email",
    status_code=202,
    responses=errors_of(UserNotFound, WrongPassword, TooManyAttempts, OutboxFull),
    tags=["accounts"],
)
async def change_email(body: ChangeEmailRequest, r: R, client: From, owner: AccountOwner) -> Ok[AskedView]:
    """Send a token to another address; the account has it once the token is shown to /v1/auth/email/confirm."""
    await r.email_change.ask(owner.subject, body.password, body.new_email, client)
    return ok(AskedView())


@router.post(
    "/deactivate",
    responses=errors_of(UserNotFound, WrongPassword, LastAdministrator, TooManyAttempts),
    tags=["accounts"],
)
async def deactivate_me(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Close one's account: sessions and keys end, the data stay, an administrator can open it again."""
    await r.self_service.close(owner.subject, body.password, client)
    return ok(DoneView())


@router.post(
    "/erase",
    responses=errors_of(UserNotFound, WrongPassword, LastAdministrator, TooManyAttempts),
    tags=["accounts"],
)
async def erase_me(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Erase one's account and all personal data, for ever."""
    await r.self_service.erase(owner.subject, body.password, client)
    return ok(DoneView())


@router.get("/views", tags=["accounts"])
async def list_saved_views(
    r: R, owner: AccountOwner, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[SavedViewView]:
    """Return the views of a frontend that one keeps, in order of name."""
    return cursor.page_of(await r.saved_views.of_user(owner.subject), limit, _BY_NAME, SavedViewView.model_validate)


@router.post("/views", responses=errors_of(TooManySavedViews), tags=["accounts"])
async def save_view(body: SavedViewRequest, r: R, owner: AccountOwner) -> Ok[SavedViewView]:
    """Keep a view under a name, in place of one's view of this name. Idempotent."""
    return ok(SavedViewView.model_validate(await r.saved_views.save(owner.subject, body.name, body.address)))


@router.delete("/views/{view_id}", responses=errors_of(SavedViewNotFound), tags=["accounts"])
async def delete_saved_view(view_id: ViewId, r: R, owner: AccountOwner) -> Ok[DoneView]:
    """Forget one of one's views."""
    await r.saved_views.delete(owner.subject, view_id)
    return ok(DoneView())

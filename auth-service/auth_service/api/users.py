"""Routes of accounts, for administrators."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from auth_service.api.dependencies import Administrator, Another, From, R, UserId, UsersReader, actor, within
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.users import ManagedUserView, RolesRequest, SuspendRequest
from auth_service.errors import LastAdministrator, OutboxFull, OwnAccount, UserNotFound
from auth_service.users.model import User, UserSearch
from auth_service.users.roles import Role
from castor_chassis import (
    ComposedText,
    Ok,
    Order,
    Page,
    Paged,
    SinceQuery,
    Timestamp,
    UntilQuery,
    check_span,
    errors_of,
    ok,
)

router = APIRouter(prefix="/v1/auth/users", tags=["administration"])
_NEWEST = Order(tuple[Timestamp, uuid.UUID], lambda user: (user.created_at, user.id), newest_first=True)


@router.get("")
async def list_users(
    r: R,
    reader: UsersReader,
    cursor: Paged,
    q: Annotated[ComposedText | None, Query(min_length=1, max_length=100)] = None,
    role: Annotated[Role | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ManagedUserView]:
    """Return accounts of one's own organisation (in the default one: of all), newest first.

    `q` is part of the address or the name; `since` and `until` bound when the account was made.
    """
    check_span(since, until)
    wanted = UserSearch(q, role, active, within(reader), cursor.after(_NEWEST), (since, until))
    found = await r.users.search(wanted, limit + 1)
    return cursor.page(found, limit, _NEWEST, ManagedUserView.model_validate)


@router.get("/{user_id}", responses=errors_of(UserNotFound))
async def get_user(user_id: UserId, r: R, reader: UsersReader) -> Ok[ManagedUserView]:
    """Return an account."""
    return _managed(await r.users.get(user_id, within=within(reader)))


@router.put("/{user_id}/roles", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator, OutboxFull))
async def set_user_roles(
    user_id: Another, body: RolesRequest, r: R, client: From, by: Administrator
) -> Ok[ManagedUserView]:
    """Give an account other roles; its sessions end, so that no token with the former ones is accepted any more."""
    return _managed(await r.administration.set_roles(actor(by), user_id, body.roles, client))


@router.post("/{user_id}/suspend", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator))
async def suspend_user(
    user_id: Another, body: SuspendRequest, r: R, client: From, by: Administrator
) -> Ok[ManagedUserView]:
    """Close an account: its sessions and keys end, and its owner is told."""
    return _managed(await r.administration.suspend(actor(by), user_id, body.reason, client))


@router.post("/{user_id}/reactivate", responses=errors_of(UserNotFound, OwnAccount))
async def reactivate_user(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Open a closed account again."""
    return _managed(await r.administration.reactivate(actor(by), user_id, client))


@router.post("/{user_id}/reset-password", responses=errors_of(UserNotFound, OwnAccount, OutboxFull))
async def void_user_password(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Void a password, remove passkeys, end all sessions, and send the owner a token to set another password.

    Nobody else learns it.
    """
    return _managed(await r.administration.reset_password(actor(by), user_id, client))


@router.post("/{user_id}/end-sessions", responses=errors_of(UserNotFound, OwnAccount))
async def end_user_sessions(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """End all sessions of a user."""
    return _managed(await r.administration.end_sessions(actor(by), user_id, client))


@router.delete("/{user_id}/mfa", responses=errors_of(UserNotFound, OwnAccount))
async def remove_user_factor(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Remove the second factor and the passkeys of somebody who lost them and whose identity was checked.

    All sessions end.
    """
    await r.mfa.remove_of(user_id, actor(by), client)
    return ok(DoneView())


@router.delete("/{user_id}", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator))
async def erase_user(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Erase an account and all personal data, for ever."""
    await r.administration.erase(actor(by), user_id, client)
    return ok(DoneView())


def _managed(user: User) -> Ok[ManagedUserView]:
    return ok(ManagedUserView.model_validate(user))

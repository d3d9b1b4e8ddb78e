"""Routes of accounts, for administrators."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from auth_service.api.dependencies import Administrator, Another, From, R, UserId, UsersReader, actor, within
from auth_service.api.schemas.fields import NO_NULL
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.users import ManagedUserView, RolesRequest, SuspendRequest
from auth_service.errors import LastAdministrator, OutboxFull, OwnAccount, UserNotFound
from auth_service.users.model import User, UserSearch
from auth_service.users.roles import Role
from castor_chassis import Ok, Page, errors_of, ok, page

router = APIRouter(prefix="/v1/auth/users", tags=["administration"])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.get("")
async def list_users(
    r: R,
    reader: UsersReader,
    q: Annotated[str | None, Query(pattern=NO_NULL, min_length=1, max_length=100)] = None,
    role: Annotated[Role | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,17}\.[0-9a-f]{32}$", max_length=50)] = None,
) -> Page[ManagedUserView]:
    """Return accounts of one's own organisation (in the default one: of all), newest first.

    `q` is part of the address or the name.
    """
    found = await r.users.search(UserSearch(q, role, active, within(reader), _position(cursor)), limit + 1)
    following = _cursor(found[limit - 1]) if len(found) > limit else None
    return page([ManagedUserView.model_validate(user) for user in found[:limit]], next_cursor=following)


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


@router.post("/{user_id}/suspend", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator, OutboxFull))
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
    """Void a password, end all sessions, and send the owner a token to set another; nobody else learns it."""
    return _managed(await r.administration.reset_password(actor(by), user_id, client))


@router.post("/{user_id}/end-sessions", responses=errors_of(UserNotFound, OwnAccount))
async def end_user_sessions(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """End all sessions of a user."""
    return _managed(await r.administration.end_sessions(actor(by), user_id, client))


@router.delete("/{user_id}/mfa", responses=errors_of(UserNotFound, OwnAccount, OutboxFull))
async def remove_user_factor(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Remove the second factor of somebody who lost it and whose identity was checked; all sessions end."""
    await r.mfa.remove_of(user_id, actor(by), client)
    return ok(DoneView())


@router.delete("/{user_id}", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator))
async def erase_user(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Erase an account and all personal data, for ever."""
    await r.administration.erase(actor(by), user_id, client)
    return ok(DoneView())


def _managed(user: User) -> Ok[ManagedUserView]:
    return ok(ManagedUserView.model_validate(user))


def _cursor(user: User) -> str:
    return f"{(user.created_at - _EPOCH) // timedelta(microseconds=1)}.{user.id.hex}"


def _position(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    if cursor is None:
        return None
    microseconds, _, user_id = cursor.partition(".")
    return _EPOCH + timedelta(microseconds=int(microseconds)), uuid.UUID(user_id)

"""What administrators ask."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from auth_service.accounts.registration_repository import Search
from auth_service.api.dependencies import Administrator, Another, From, R, UserId
from auth_service.api.schemas.fields import NO_NULL
from auth_service.api.schemas.mfa import DoneView, ManagedUserView, RolesRequest, SuspendRequest
from auth_service.errors import LastAdministrator, OutboxFull, OwnAccount, UserNotFound
from auth_service.users.repository import User
from auth_service.users.roles import Role, Scope
from castor_chassis import (
    Identifier,
    Ok,
    Page,
    Principal,
    errors_of,
    ok,
    page,
    require,
)

router = APIRouter(prefix="/v1/auth", tags=["administration"])
# An API key will do for reading: what collects events is a program.
Reader = Annotated[Principal, Depends(require(Scope.USERS_ADMIN))]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One event per line, oldest first, each with the hash that chains it to the one before.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


@router.get("/audit", response_class=StreamingResponse, responses=_LINES)
async def export_audit(
    r: R,
    _reader: Reader,
    after: Annotated[int, Query(ge=0, le=2**62, description="seq of the last line you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000_000)] = 100_000,
    subject: Annotated[Identifier | None, Query(description="Only events about this user or service.")] = None,
    event: Annotated[Identifier | None, Query(description="Only events of this name.")] = None,
) -> StreamingResponse:
    """Export security events as JSON Lines; `python -m auth_service verify-audit FILE` checks an unfiltered export."""
    await r.audit_chain.store.head()  # once the answer has begun it is too late for a 503
    lines = r.audit_chain.export(after, limit, subject=subject, event=event)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


@router.get("/users")
async def list_users(
    r: R,
    _reader: Reader,
    q: Annotated[str | None, Query(pattern=NO_NULL, min_length=1, max_length=100)] = None,
    role: Annotated[Role | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,17}\.[0-9a-f]{32}$", max_length=50)] = None,
) -> Page[ManagedUserView]:
    """Return accounts, newest first; `q` is part of the address or the name."""
    found = await r.administration.search(Search(q, role, active, _position(cursor)), limit + 1)
    following = _cursor(found[limit - 1]) if len(found) > limit else None
    return page([ManagedUserView.model_validate(user) for user in found[:limit]], next_cursor=following)


@router.get("/users/{user_id}", responses=errors_of(UserNotFound))
async def get_user(user_id: UserId, r: R, _reader: Reader) -> Ok[ManagedUserView]:
    """Return an account."""
    return _managed(await r.accounts.user(user_id))


@router.put("/users/{user_id}/roles", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator))
async def set_roles(user_id: Another, body: RolesRequest, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Give an account other roles; its sessions end, so that no token with the former ones is accepted any more."""
    return _managed(await r.administration.set_roles(by.subject, user_id, body.roles, client))


@router.post("/users/{user_id}/suspend", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator, OutboxFull))
async def suspend(user_id: Another, body: SuspendRequest, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Close an account: its sessions and keys end, and its owner is told."""
    return _managed(await r.administration.suspend(by.subject, user_id, body.reason, client))


@router.post("/users/{user_id}/reactivate", responses=errors_of(UserNotFound, OwnAccount))
async def reactivate(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Open a closed account again."""
    return _managed(await r.administration.reactivate(by.subject, user_id, client))


@router.post("/users/{user_id}/reset-password", responses=errors_of(UserNotFound, OwnAccount, OutboxFull))
async def void_password(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """Void a password, end all sessions, and send the owner a token to set another; nobody else learns it."""
    return _managed(await r.administration.reset_password(by.subject, user_id, client))


@router.post("/users/{user_id}/end-sessions", responses=errors_of(UserNotFound, OwnAccount))
async def end_sessions(user_id: Another, r: R, client: From, by: Administrator) -> Ok[ManagedUserView]:
    """End all sessions of a user."""
    return _managed(await r.administration.end_sessions(by.subject, user_id, client))


@router.delete("/users/{user_id}/mfa", responses=errors_of(UserNotFound, OwnAccount, OutboxFull))
async def remove_factor(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Remove the second factor of somebody who lost it and whose identity was checked; all sessions end."""
    await r.second_factor.remove(await r.accounts.user(user_id), client, by=by.subject)
    return ok(DoneView())


@router.delete("/users/{user_id}", responses=errors_of(UserNotFound, OwnAccount, LastAdministrator))
async def erase_user(user_id: Another, r: R, client: From, by: Administrator) -> Ok[DoneView]:
    """Erase an account and all personal data, for ever."""
    await r.administration.erase(by.subject, user_id, client)
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

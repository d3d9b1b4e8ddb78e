"""Routes of a user's own sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from auth_service.api.dependencies import AccountOwner, From, R, SessionId
from auth_service.api.schemas.sessions import OpenSessionView, SessionsEndedView
from auth_service.errors import SessionNotFound
from auth_service.sessions.model import Session
from castor_chassis import Ok, Order, Page, Paged, Principal, Text, Timestamp, errors_of, ok

router = APIRouter(prefix="/v1/auth/sessions", tags=["auth"])
_LAST_USED = Order(tuple[Timestamp, Text], lambda one: (one.last_used_at, str(one.id)), newest_first=True)
KeepCurrent = Annotated[bool, Query(description="Whether the session of this request's token goes on.")]


@router.get("")
async def list_sessions(
    r: R, owner: AccountOwner, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[OpenSessionView]:
    """Return one's sessions in force, the last used first, of the 200 last used."""
    found = await r.sessions.in_force(owner.subject)
    return cursor.page_of(found, limit, _LAST_USED, lambda session: _view(session, owner))


@router.delete("/{session_id}", responses=errors_of(SessionNotFound))
async def end_session(session_id: SessionId, r: R, client: From, owner: AccountOwner) -> Ok[SessionsEndedView]:
    """End one of one's sessions; its access token is refused everywhere within a second."""
    await r.sessions.end_one(owner.subject, session_id, client)
    return ok(SessionsEndedView(ended=1))


@router.delete("")
async def end_sessions(
    r: R, client: From, owner: AccountOwner, keep_current: KeepCurrent = False
) -> Ok[SessionsEndedView]:
    """Log out everywhere, or everywhere else."""
    keep = owner.session_id if keep_current else None
    return ok(SessionsEndedView(ended=await r.sessions.end_all(owner.subject, client, keep=keep)))


def _view(session: Session, owner: Principal) -> OpenSessionView:
    view = OpenSessionView.model_validate(session)
    return view.model_copy(update={"current": view.id == owner.session_id})

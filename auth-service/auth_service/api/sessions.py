"""What users ask about their own sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from auth_service.api.dependencies import AccountOwner, From, R
from auth_service.api.schemas.fields import OpenSessionView, SessionsEndedView
from auth_service.errors import SessionNotFound
from auth_service.sessions.repository import Session
from castor_chassis import Ok, Page, Principal, errors_of, ok, page

router = APIRouter(prefix="/v1/auth", tags=["auth"])
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
SessionId = Annotated[str, Path(pattern=_UUID, description="From the list of one's sessions.")]
KeepCurrent = Annotated[bool, Query(description="Whether the session of this request's token goes on.")]


@router.get("/sessions")
async def list_sessions(r: R, owner: AccountOwner) -> Page[OpenSessionView]:
    """Return one's sessions in force, the last used first; at most 200, in one page."""
    return page([_view(session, owner) for session in await r.sessions.of(owner.subject)])


@router.delete("/sessions/{session_id}", responses=errors_of(SessionNotFound))
async def end_session(session_id: SessionId, r: R, client: From, owner: AccountOwner) -> Ok[SessionsEndedView]:
    """End one of one's sessions; its access token is refused everywhere within a second."""
    await r.sessions.end_one(owner.subject, session_id, client)
    return ok(SessionsEndedView(ended=1))


@router.delete("/sessions")
async def end_sessions(
    r: R, client: From, owner: AccountOwner, keep_current: KeepCurrent = False
) -> Ok[SessionsEndedView]:
    """Log out everywhere, or everywhere else."""
    keep = owner.session_id if keep_current else None
    return ok(SessionsEndedView(ended=await r.sessions.end_all(owner.subject, client, keep=keep)))


def _view(session: Session, owner: Principal) -> OpenSessionView:
    view = OpenSessionView.model_validate(session)
    return view.model_copy(update={"current": view.id == owner.session_id})

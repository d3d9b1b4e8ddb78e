"""Wire models of a user's sessions."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Id
from castor_chassis import ResponseModel, Timestamp


class OpenSessionView(ResponseModel):
    """One of one's own sessions."""

    model_config = ConfigDict(from_attributes=True)
    id: Id
    created_at: Timestamp
    last_used_at: Timestamp = Field(description="When it was last refreshed.")
    expires_at: Timestamp
    user_agent: str = Field(description="What the client called itself at login; it may lie.")
    current: bool = Field(False, description="Whether the token of this request belongs to it.")


class SessionsEndedView(ResponseModel):
    """How many sessions were ended; their access tokens are refused everywhere within a second."""

    ended: int

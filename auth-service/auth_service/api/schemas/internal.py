"""Wire models of the paths for services only: validation, accounts, revocations."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Id
from castor_chassis import RequestModel, ResponseModel, Timestamp


class ValidateRequest(RequestModel):
    """A user's access token to be judged."""

    token: str


class ValidView(ResponseModel):
    """The token holds."""

    model_config = ConfigDict(from_attributes=True)
    valid: Literal[True] = True
    user_id: str = Field(description="A user's id, or that of a service account, which has no address and no roles.")
    email: str | None
    roles: list[str]
    exp: int = Field(description="Unix seconds.")


class InvalidView(ResponseModel):
    """The token does not hold: an answer, not an error."""

    model_config = ConfigDict(from_attributes=True)
    valid: Literal[False] = False
    reason: str


class InternalUserView(ResponseModel):
    """An account as other services see it."""

    model_config = ConfigDict(from_attributes=True)
    id: Id
    email: str
    roles: list[str]
    org: str
    is_active: bool
    created_at: Timestamp


class RevocationView(ResponseModel):
    """One thing that ended early."""

    model_config = ConfigDict(from_attributes=True)
    kind: Literal["session", "user", "api_key", "signing_key"] = Field(
        description="session: its access tokens are dead; signing_key: all that it signed; "
        "user, api_key: ask anew about their API keys."
    )
    subject: str
    revoked_at: float = Field(description="Unix seconds.")
    expires_at: float = Field(description="Unix seconds; afterwards it may be forgotten.")


class RevocationsView(ResponseModel):
    """What was revoked after an epoch."""

    model_config = ConfigDict(from_attributes=True)
    epoch: int = Field(description="Ask for what comes after it next time.")
    items: list[RevocationView]
    issued_after: float = Field(description="Unix seconds: users' tokens issued before are refused; 0: no such line.")
    more: bool = Field(description="Whether there is more to ask for at once.")


class VerifyKeyRequest(RequestModel):
    """An API key to be judged."""

    key: str


class VerifiedKeyView(ResponseModel):
    """Whom the API key stands for."""

    valid: Literal[True] = True
    user_id: str
    scopes: list[str]
    roles: list[str]
    org: str | None = Field(None, description="Organisation of the owner.")

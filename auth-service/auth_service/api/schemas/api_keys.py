"""Wire models of API keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Days, Grace, Name
from auth_service.users.roles import Scope
from castor_chassis import RequestModel, ResponseModel, Timestamp


class ApiKeyRequest(RequestModel):
    """A key for a script."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Days = 90


class RotateKeyRequest(RequestModel):
    """Another secret for an API key."""

    expires_in_days: Days = 90
    grace_seconds: Annotated[Grace, Field(description="How long the secret before holds; 0: not at all.")] = 86_400


class ApiKeyView(ResponseModel):
    """An API key without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp
    last_used_at: Timestamp | None = Field(description="To the minute; null when never used.")


class NewApiKeyView(ApiKeyView):
    """An API key, the only time that it is shown."""

    key: str = Field(description="castor_<id>_<secret>; it is not stored and cannot be shown again.")

"""Wire models of service clients with a secret."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Grace
from auth_service.tokens.grants import CALLERS
from castor_chassis import RequestModel, ResponseModel, Timestamp


class RotateClientRequest(RequestModel):
    """Another secret for a client."""

    grace_seconds: Annotated[Grace, Field(description="How long the secret before holds; 0: not at all.")] = 86_400


class ClientRequest(RequestModel):
    """A client with a secret."""

    service: Literal[CALLERS] = Field(description="The service whose grants it has.")  # type: ignore[valid-type]


class ClientView(ResponseModel):
    """A client without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: str = Field(description="client_id of the token endpoint.")
    service: str
    created_at: Timestamp
    rotated_at: Timestamp | None
    last_used_at: Timestamp | None


class NewClientView(ClientView):
    """A client with its secret, the only time that it is shown."""

    client_secret: str

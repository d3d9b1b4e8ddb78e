"""Wire models of passkeys and of step-up."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_serializer
from webauthn.helpers import bytes_to_base64url

from auth_service.api.schemas.fields import Code, Name
from castor_chassis import JsonObject, RequestModel, ResponseModel, Timestamp

Token = Annotated[str, Field(min_length=1, max_length=1024, description="From the options.")]
Answer = Annotated[JsonObject, Field(description="PublicKeyCredential.toJSON() of the browser (WebAuthn level 3).")]


class PasskeyOptionsView(ResponseModel):
    """What the browser's authenticator is asked, and the token that goes with its answer."""

    options: dict[str, Any] = Field(description="For PublicKeyCredential.parse…OptionsFromJSON().")
    token: str


class PasskeyAnswerRequest(RequestModel):
    """The answer of an authenticator."""

    token: Token
    credential: Answer


class NewPasskeyRequest(PasskeyAnswerRequest):
    """The answer of an authenticator that made a passkey, and what its owner calls it."""

    name: Name


class PasskeyNameRequest(RequestModel):
    """Another name."""

    name: Name


class PasskeyView(ResponseModel):
    """A passkey."""

    model_config = ConfigDict(from_attributes=True)
    id: bytes
    name: str
    created_at: Timestamp
    last_used_at: Timestamp | None

    @field_serializer("id")
    def _as_text(self, value: bytes) -> str:
        return bytes_to_base64url(value)


class StepUpRequest(RequestModel):
    """A code for the session that one has."""

    code: Code


class AccessTokenView(ResponseModel):
    """Another access token of the session; its refresh token stays."""

    model_config = ConfigDict(from_attributes=True)
    access_token: str
    expires_in: int = Field(description="Seconds.")

"""Wire models of multi-factor authentication."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Code, Password
from auth_service.api.schemas.login import SessionView
from castor_chassis import Pattern, RequestModel, ResponseModel

Digits = Annotated[str, Pattern(r"^[0-9]{6}$", "must be the six digits of the authenticator app")]


class FactorRequest(RequestModel):
    """One's password and a code, once more."""

    password: Password
    code: Code


class DigitsRequest(RequestModel):
    """Six digits of the authenticator app."""

    code: Digits


class EnrolmentView(ResponseModel):
    """What an authenticator app is given; it is shown once."""

    model_config = ConfigDict(from_attributes=True)
    secret: str = Field(description="Base32.")
    uri: str = Field(description="otpauth:// address, for a QR code.")


class RecoveryCodesView(ResponseModel):
    """Codes for when the app is lost; each opens once, and they are shown once."""

    recovery_codes: list[str]


class ConfirmedView(RecoveryCodesView):
    """The second factor counts; all other sessions ended."""

    session: SessionView


class FactorView(ResponseModel):
    """The state of one's second factor."""

    model_config = ConfigDict(from_attributes=True)
    enabled: bool
    required: bool = Field(description="Whether one's roles are worth nothing without it.")
    recovery_codes_left: int

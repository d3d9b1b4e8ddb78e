"""Wire models of accounts: registration, profile, recovery, second factors, administration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from auth_service.api.schemas.fields import NO_NULL, Email, NewPassword, OpaqueToken, SessionView, UserView
from auth_service.crypto.passwords import MAX_CHARACTERS
from auth_service.users.roles import Role
from castor_chassis import RequestModel, ResponseModel

Password = Annotated[
    str, Field(pattern=NO_NULL, min_length=1, max_length=MAX_CHARACTERS, json_schema_extra={"format": "password"})
]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z -]{6,40}$"),
    Field(description="Six digits of the authenticator app, or a recovery code."),
]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Reason = Annotated[str, Field(pattern=NO_NULL, min_length=1, max_length=200)]


class AskedView(ResponseModel):
    """The request was taken; what comes of it is sent to the address, which tells nobody else anything."""

    status: Literal["sent_if_possible"] = "sent_if_possible"


class DoneView(ResponseModel):
    """It is done."""

    done: Literal[True] = True


class ConfirmRegistrationRequest(RequestModel):
    """The token that was sent, with the password that was chosen."""

    token: OpaqueToken
    password: Password


class MfaLoginRequest(RequestModel):
    """The second step of a login."""

    mfa_token: Annotated[str, Field(min_length=1, max_length=1024)]
    code: Code


class PasswordRequest(RequestModel):
    """One's password, once more."""

    password: Password


class ChangePasswordRequest(RequestModel):
    """The present password, and the next."""

    current_password: Password
    new_password: NewPassword


class ChangeEmailRequest(RequestModel):
    """One's password, and the address that the account is to have."""

    password: Password
    new_email: Email


class ForgotPasswordRequest(RequestModel):
    """Whose password is to be set anew."""

    email: Email


class ResetPasswordRequest(RequestModel):
    """The token that was sent, and the next password."""

    token: OpaqueToken
    new_password: NewPassword


class TokenRequest(RequestModel):
    """A token that was sent to an address."""

    token: OpaqueToken


class FactorRequest(RequestModel):
    """One's password and a code, once more."""

    password: Password
    code: Code


class DigitsRequest(RequestModel):
    """Six digits of the authenticator app."""

    code: Digits


class EnrolmentView(ResponseModel):
    """What an authenticator app is given; it is shown once."""

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

    enabled: bool
    required: bool = Field(description="Whether one's roles are worth nothing without it.")
    recovery_codes_left: int


class ManagedUserView(UserView):
    """An account as administrators see it."""

    is_active: bool
    closed_reason: str | None


class RolesRequest(RequestModel):
    """The roles that an account is to have."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]


class SuspendRequest(RequestModel):
    """Why an account is closed; its owner is not told this."""

    reason: Reason

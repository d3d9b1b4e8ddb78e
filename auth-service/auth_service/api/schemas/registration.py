"""Wire models of registration."""

from __future__ import annotations

from auth_service.api.schemas.fields import Email, NewPassword, OpaqueToken, Password
from auth_service.api.schemas.users import ProfileRequest
from castor_chassis import RequestModel


class RegisterRequest(ProfileRequest):
    """A new account."""

    email: Email
    password: NewPassword


class ConfirmRegistrationRequest(RequestModel):
    """The token that was sent, with the password that was chosen."""

    token: OpaqueToken
    password: Password

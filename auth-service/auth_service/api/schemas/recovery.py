"""Wire models of recovery: a forgotten password, another address."""

from __future__ import annotations

from auth_service.api.schemas.fields import Email, NewPassword, OpaqueToken
from castor_chassis import RequestModel


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

"""Wire models of changes that people make to their own account."""

from __future__ import annotations

from auth_service.api.schemas.fields import Email, NewPassword, Password
from castor_chassis import RequestModel


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

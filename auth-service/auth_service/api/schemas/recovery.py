"""Wire models of recovery: a forgotten password, another address."""

from __future__ import annotations

from pydantic import Field

from auth_service.api.schemas.api_keys import ApiKeyView
from auth_service.api.schemas.fields import Email, NewPassword, OpaqueToken, RevokeKeys
from auth_service.api.schemas.outcomes import DoneView
from castor_chassis import RequestModel


class ForgotPasswordRequest(RequestModel):
    """Whose password is to be set anew."""

    email: Email


class ResetPasswordRequest(RequestModel):
    """The token that was sent, and the next password."""

    token: OpaqueToken
    new_password: NewPassword
    revoke_api_keys: RevokeKeys = False


class PasswordResetView(DoneView):
    """The password is set; all sessions ended."""

    api_keys: list[ApiKeyView] = Field(description="One's API keys still in force.")


class TokenRequest(RequestModel):
    """A token that was sent to an address."""

    token: OpaqueToken

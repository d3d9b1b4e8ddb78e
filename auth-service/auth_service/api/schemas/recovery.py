"""Wire models of recovery: a forgotten password, another address."""

from __future__ import annotations

from pydantic import Field

from auth_service.api.schemas.api_keys import ApiKeyView
from auth_service.api.schemas.fields import Email, NewPassword, OpaqueToken, RemovePasskeys, RevokeKeys
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.passkeys import PasskeyView
from castor_chassis import RequestModel


class ForgotPasswordRequest(RequestModel):
    """Whose password is to be set anew."""

    email: Email


class ResetPasswordRequest(RequestModel):
    """The token that was sent, and the next password."""

    token: OpaqueToken
    new_password: NewPassword
    revoke_api_keys: RevokeKeys = False
    remove_passkeys: RemovePasskeys = False


class PasswordResetView(DoneView):
    """The password is set; all sessions ended."""

    api_keys: list[ApiKeyView] = Field(description="One's API keys still in force.")
    passkeys: list[PasskeyView] = Field(description="One's passkeys, which open the account without the password.")


class TokenRequest(RequestModel):
    """A token that was sent to an address."""

    token: OpaqueToken

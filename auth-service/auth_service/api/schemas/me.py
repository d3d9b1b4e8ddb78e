"""Wire models of changes that people make to their own account."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from auth_service.api.schemas.api_keys import ApiKeyView
from auth_service.api.schemas.fields import Email, Id, Name, NewPassword, Password, RemovePasskeys, RevokeKeys
from auth_service.api.schemas.login import SessionView
from auth_service.api.schemas.passkeys import PasskeyView
from castor_chassis import RequestModel, ResponseModel, Text, Timestamp


class PasswordRequest(RequestModel):
    """One's password, once more."""

    password: Password


class ChangePasswordRequest(RequestModel):
    """The present password, and the next."""

    current_password: Password
    new_password: NewPassword
    revoke_api_keys: RevokeKeys = False
    remove_passkeys: RemovePasskeys = False


class PasswordChangedView(SessionView):
    """A new session; all others ended."""

    api_keys: list[ApiKeyView] = Field(description="One's API keys still in force.")
    passkeys: list[PasskeyView] = Field(description="One's passkeys, which open the account without the password.")


class ChangeEmailRequest(RequestModel):
    """One's password, and the address that the account is to have."""

    password: Password
    new_email: Email


Address = Annotated[
    Text, Field(min_length=1, max_length=2000, description="What restores it, such as '#/explorar?q=x'.")
]


class SavedViewRequest(RequestModel):
    """A view of a frontend, and what it is called."""

    name: Name
    address: Address


class SavedViewView(ResponseModel):
    """A saved view."""

    model_config = ConfigDict(from_attributes=True)

    id: Id
    name: str
    address: str
    saved_at: Timestamp

"""Wire models of accounts, as their owners and administrators see them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool

from auth_service.api.schemas.fields import Id, Name
from auth_service.users.roles import Role
from castor_chassis import ComposedText, Pattern, RequestModel, ResponseModel, Timestamp

Phone = Annotated[str, Pattern(r"^\+?[1-9][0-9]{6,14}$", "must be 7 to 15 digits, with the country's code and a +")]
WhatsApp = Annotated[str, Pattern(r"^\+[0-9]{10,15}$", "must be a + with 10 to 15 digits, such as +573001234567")]
Reason = Annotated[ComposedText, Field(min_length=1, max_length=200)]


class ProfileRequest(RequestModel):
    """Fields of an account that its owner fills in; in a change null clears one, and what is absent stays."""

    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None
    campaign_role: Name | None = None
    candidate_position: Name | None = None
    whatsapp_number: WhatsApp | None = None
    whatsapp_opt_in: StrictBool = False


class UserView(ResponseModel):
    """An account as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)
    id: Id
    email: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    campaign_role: str | None
    candidate_position: str | None
    whatsapp_number: str | None
    whatsapp_opt_in: bool
    roles: list[str]
    org: str = Field(description="Organisation that the account belongs to.")
    mfa_enabled: bool
    email_verified_at: Timestamp | None
    created_at: Timestamp


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

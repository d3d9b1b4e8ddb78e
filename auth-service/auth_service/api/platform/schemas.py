"""Wire models of organisations."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Name
from castor_chassis import Integer, Pattern, RequestModel, ResponseModel, Timestamp

OrganisationId = Annotated[
    str,
    Pattern(
        r"^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$",
        "must be 2 to 40 small letters without accents, digits or hyphens, and neither begin nor end with a hyphen",
    ),
    Field(description="Letters, digits and hyphens; tokens say it as `org`."),
]


class OrganisationRequest(RequestModel):
    """An organisation that is to be made."""

    id: OrganisationId
    name: Name


class OrganisationView(ResponseModel):
    """An organisation."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    created_at: Timestamp
    accounts: Integer = Field(description="How many belong to it.")


class MembershipRequest(RequestModel):
    """The organisation that an account is to belong to."""

    org: OrganisationId

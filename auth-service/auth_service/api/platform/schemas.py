"""Wire models of organisations."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from auth_service.api.schemas.fields import Name
from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp

OrganisationId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$"),
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

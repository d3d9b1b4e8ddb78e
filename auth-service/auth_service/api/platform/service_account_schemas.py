"""Wire models of service accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from auth_service.api.platform.schemas import OrganisationId
from auth_service.api.schemas.fields import UUID_TEXT, Days, Id, Name
from auth_service.service_accounts.model import MACHINE_SCOPES
from castor_chassis import Pattern, RequestModel, ResponseModel, Timestamp

_SCOPES = tuple(sorted(str(scope) for scope in MACHINE_SCOPES))
UserIdText = Annotated[str, UUID_TEXT]
Numbers = Annotated[str, Pattern(r"^[A-Za-z0-9_-]{1,700}$", "must be base64url without padding, up to 700 characters")]


class ServiceAccountRequest(RequestModel):
    """A service account that is to be made."""

    name: Annotated[Name, Field(description="What the machine is, for people.")]
    scopes: Annotated[
        list[Literal[_SCOPES]],  # type: ignore[valid-type]
        Field(min_length=1, max_length=len(_SCOPES), description="The most that its tokens say; its owner holds them."),
    ]
    owner_id: UserIdText | None = Field(
        None, description="The user that it belongs to, and ends with; null: the organisation."
    )
    org: OrganisationId | None = Field(
        None, description="The organisation that it belongs to; null: that of the owner, or the administrator's own."
    )


class ServiceAccountView(ResponseModel):
    """A service account."""

    model_config = ConfigDict(from_attributes=True)
    id: str = Field(description="client_id of token requests; sub of its tokens.")
    name: str
    owner_id: Id | None = Field(description="null: it belongs to the organisation.")
    org: str
    scopes: list[str]
    created_at: Timestamp
    disabled_at: Timestamp | None
    is_active: bool = Field(description="Whether it gets tokens: neither it nor its owner's account is closed.")


class CredentialView(ResponseModel):
    """A credential in force, without the secret."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    kind: Literal["secret", "public_key"]
    created_at: Timestamp
    expires_at: Timestamp
    last_used_at: Timestamp | None


class ServiceAccountDetails(ServiceAccountView):
    """A service account with its credentials in force, newest first."""

    credentials: list[CredentialView]


class PublicJwk(RequestModel):
    """The public half of a key pair (RFC 7517): RSA of 2048 to 4096 bits, or EC on the curve P-256."""

    kty: Literal["RSA", "EC"]
    n: Numbers | None = None
    e: Numbers | None = None
    crv: Literal["P-256"] | None = None
    x: Numbers | None = None
    y: Numbers | None = None
    kid: Annotated[str, Field(max_length=256)] | None = Field(None, description="Not used: all keys are tried.")
    alg: Literal["RS256", "ES256"] | None = Field(None, description="Not used: kty says it.")
    use: Literal["sig"] | None = None


class CredentialRequest(RequestModel):
    """Another credential of a service account; those before it hold until they expire or are revoked."""

    public_key: PublicJwk | None = Field(None, description="null: a secret is made, and shown once.")
    expires_in_days: Days = 90


class NewCredentialView(CredentialView):
    """A credential, the only time that its secret is shown."""

    client_secret: str | None = Field(description="null for a public key.")

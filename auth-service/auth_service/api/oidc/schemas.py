"""Wire models of the OpenID Connect provider."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from auth_service.api.schemas.fields import Name
from auth_service.oidc.requests import LANGUAGES
from auth_service.service_accounts.public_keys import ALGORITHMS
from auth_service.users.roles import Scope
from castor_chassis import Pattern, RequestModel, ResponseModel, Timestamp

# https, or http on a developer's own machine; no user, no fragment, no wildcard.
RedirectUri = Annotated[
    str,
    StringConstraints(max_length=500),
    Pattern(
        r"^(https://[A-Za-z0-9.-]{1,253}|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
        r"(/[A-Za-z0-9._~!$&'()+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?$",
        "must be an address with https, or with http on localhost, and without user, fragment or accents",
    ),
]
Uris = Annotated[list[RedirectUri], Field(max_length=10)]


class OidcClientRequest(RequestModel):
    """A frontend that is to be registered."""

    name: Annotated[Name, Field(description="Shown to whoever logs in.")]
    redirect_uris: Annotated[Uris, Field(min_length=1, description="Where codes may be sent to, letter by letter.")]
    post_logout_redirect_uris: Uris = Field(default_factory=list, description="Where browsers may go after a logout.")
    scopes: Annotated[list[Scope], Field(max_length=len(Scope))] = Field(
        default_factory=list, description="The most that it may do, of what its user may."
    )


class OidcClientView(ResponseModel):
    """A registered frontend. It is a public client: there is no secret."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)
    id: str = Field(description="client_id of authorization and token requests.")
    name: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str] = Field(validation_alias="logout_uris")
    scopes: list[str]
    created_at: Timestamp | None = Field(description="null: made from the settings.")


class ClientTokensView(ResponseModel):
    """A successful answer of the token endpoint (OpenID Connect Core section 3.1.3.3)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    refresh_token: str = Field(description="Used once: every refresh gives the next.")
    id_token: str | None = Field(None, description="After a refresh without the nonce (section 12.2).")


class AccountTokenView(ResponseModel):
    """A token of a service account (RFC 6749 section 4.4.3); there is no refresh token: ask again."""

    model_config = ConfigDict(from_attributes=True)
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="Space separated.")


class UserInfoView(ResponseModel):
    """What the scopes of the token let its client know (OpenID Connect Core section 5.3)."""

    sub: str
    email: str | None = None
    email_verified: bool | None = None
    given_name: str | None = None
    family_name: str | None = None
    updated_at: int | None = None


class ProviderView(ResponseModel):
    """The metadata of the provider (OpenID Connect Discovery section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: tuple[str, ...] = ("code",)
    response_modes_supported: tuple[str, ...] = ("query",)
    grant_types_supported: tuple[str, ...] = ("authorization_code", "refresh_token", "client_credentials")
    subject_types_supported: tuple[str, ...] = ("public",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = (
        "none",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    )
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ALGORITHMS
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    acr_values_supported: list[str]
    claims_supported: list[str]
    ui_locales_supported: tuple[str, ...] = LANGUAGES
    request_parameter_supported: bool = False
    request_uri_parameter_supported: bool = False
    authorization_response_iss_parameter_supported: bool = True

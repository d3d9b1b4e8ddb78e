"""Wire models of auth-service: the source of its contract."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints

from auth_service.crypto.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from auth_service.users.roles import Scope
from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

# The valid e-mail address of the WHATWG HTML standard, with a dot required in the domain.
Email = Annotated[
    str,
    StringConstraints(pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+$", max_length=254),
]
# A pattern, unlike a validator, stands in the contract: PostgreSQL stores no null character.
NO_NULL = r"^[^\x00]*$"


def _not_one_character_repeated(password: str) -> str:
    # The contract says so, hence a refusal must not wait for what is found out later.
    if password and password == password[0] * len(password):
        raise ValueError("the password repeats one character; choose several unrelated words")
    return password


NewPassword = Annotated[
    str,
    Field(
        pattern=NO_NULL,
        min_length=MIN_CHARACTERS,
        max_length=MAX_CHARACTERS,
        json_schema_extra={"format": "password", "not": {"pattern": r"^(.)\1*$"}},
        description="Not the e-mail address, not one of the most common passwords, not one character repeated.",
    ),
    AfterValidator(_not_one_character_repeated),
]
Name = Annotated[str, Field(pattern=NO_NULL, min_length=1, max_length=120)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[1-9][0-9]{6,14}$")]
WhatsApp = Annotated[str, StringConstraints(pattern=r"^\+[0-9]{10,15}$")]
Id = Annotated[str, BeforeValidator(str)]
# The bounds once more, by the names of JSON Schema: for a validated integer pydantic would publish "ge" and "le".
Days = Annotated[Integer, Field(ge=1, le=366, json_schema_extra={"minimum": 1, "maximum": 366})]
OpaqueToken = Annotated[str, Field(min_length=1, max_length=512)]


class ProfileRequest(RequestModel):
    """Fields of an account that its owner fills in; in a change null clears one, and what is absent stays."""

    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None
    campaign_role: Name | None = None
    candidate_position: Name | None = None
    whatsapp_number: WhatsApp | None = None
    whatsapp_opt_in: StrictBool = False


class RegisterRequest(ProfileRequest):
    """A new account."""

    email: Email
    password: NewPassword


class LoginRequest(RequestModel):
    """Proof of who one is."""

    email: Annotated[str, Field(pattern=NO_NULL, min_length=1, max_length=254)]
    password: Annotated[str, Field(pattern=NO_NULL, min_length=1, max_length=MAX_CHARACTERS)]


class RefreshTokenRequest(RequestModel):
    """A refresh token, to be exchanged or ended."""

    refresh_token: OpaqueToken


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
    mfa_enabled: bool
    email_verified_at: Timestamp | None
    created_at: Timestamp


class TokensView(ResponseModel):
    """The tokens of a session."""

    model_config = ConfigDict(from_attributes=True)
    access_token: str = Field(description="RS256 JSON Web Token; verify it with GET /v1/auth/jwks.")
    refresh_token: str = Field(description="Opaque, used once: every refresh gives the next.")
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds until the access token ends.")


class SessionView(ResponseModel):
    """Who logged in, and the tokens."""

    user: UserView
    tokens: TokensView


class LogoutView(ResponseModel):
    """The session of the token is over, or never was."""

    logged_out: Literal[True] = True


class OpenSessionView(ResponseModel):
    """One of one's own sessions."""

    model_config = ConfigDict(from_attributes=True)
    id: Id
    created_at: Timestamp
    last_used_at: Timestamp = Field(description="When it was last refreshed.")
    expires_at: Timestamp
    user_agent: str = Field(description="What the client called itself at login; it may lie.")
    current: bool = Field(False, description="Whether the token of this request belongs to it.")


class SessionsEndedView(ResponseModel):
    """How many sessions were ended; their access tokens are refused everywhere within a second."""

    ended: int


class ApiKeyRequest(RequestModel):
    """A key for a script."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Days = 90


class ApiKeyView(ResponseModel):
    """An API key without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp
    last_used_at: Timestamp | None = Field(description="To the minute; null when never used.")


Grace = Annotated[Integer, Field(ge=0, le=604_800, json_schema_extra={"minimum": 0, "maximum": 604_800})]


class RotateKeyRequest(RequestModel):
    """Another secret for an API key."""

    expires_in_days: Days = 90
    grace_seconds: Annotated[Grace, Field(description="How long the secret before holds; 0: not at all.")] = 86_400


class NewApiKeyView(ApiKeyView):
    """An API key, the only time that it is shown."""

    key: str = Field(description="castor_<id>_<secret>; it is not stored and cannot be shown again.")

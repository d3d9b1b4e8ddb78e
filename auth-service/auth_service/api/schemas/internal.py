"""Wire models between services: clients, service tokens, keys, validation, revocations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Grace, Id
from auth_service.tokens.grants import CALLERS
from castor_chassis import RequestModel, ResponseModel, Timestamp


class RotateClientRequest(RequestModel):
    """Another secret for a client."""

    grace_seconds: Annotated[Grace, Field(description="How long the secret before holds; 0: not at all.")] = 86_400


class ClientRequest(RequestModel):
    """A client with a secret."""

    service: Literal[CALLERS] = Field(description="The service whose grants it has.")  # type: ignore[valid-type]


class ClientView(ResponseModel):
    """A client without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: str = Field(description="client_id of the token endpoint.")
    service: str
    created_at: Timestamp
    rotated_at: Timestamp | None
    last_used_at: Timestamp | None


class NewClientView(ClientView):
    """A client with its secret, the only time that it is shown."""

    client_secret: str


class ServiceTokenView(ResponseModel):
    """A successful answer of the token endpoint (RFC 6749 section 5.1)."""

    model_config = ConfigDict(from_attributes=True)
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="Space separated.")


class OAuthErrorView(ResponseModel):
    """A refusal of the token endpoint (RFC 6749 section 5.2)."""

    error: Literal["invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unsupported_grant_type"]
    error_description: str


class JwkView(ResponseModel):
    """A public key (RFC 7517)."""

    kty: Literal["RSA"]
    alg: Literal["RS256"]
    use: Literal["sig"]
    kid: str
    n: str
    e: str


class JwksView(ResponseModel):
    """The keys that our tokens are verified with."""

    keys: list[JwkView]


class ValidateRequest(RequestModel):
    """A user's access token to be judged."""

    token: str


class ValidView(ResponseModel):
    """The token holds."""

    valid: Literal[True] = True
    user_id: str
    email: str | None
    roles: list[str]
    exp: int = Field(description="Unix seconds.")


class InvalidView(ResponseModel):
    """The token does not hold: an answer, not an error."""

    valid: Literal[False] = False
    reason: str


class InternalUserView(ResponseModel):
    """An account as other services see it."""

    model_config = ConfigDict(from_attributes=True)
    id: Id
    email: str
    roles: list[str]
    is_active: bool
    created_at: Timestamp


class RevocationView(ResponseModel):
    """One thing that ended early."""

    model_config = ConfigDict(from_attributes=True)
    kind: Literal["session", "user", "api_key", "signing_key"] = Field(
        description="session: its access tokens are dead; signing_key: all that it signed; "
        "user, api_key: ask anew about their API keys."
    )
    subject: str
    revoked_at: float = Field(description="Unix seconds.")
    expires_at: float = Field(description="Unix seconds; afterwards it may be forgotten.")


class RevocationsView(ResponseModel):
    """What was revoked after an epoch."""

    model_config = ConfigDict(from_attributes=True)
    epoch: int = Field(description="Ask for what comes after it next time.")
    items: list[RevocationView]
    issued_after: float = Field(description="Unix seconds: users' tokens issued before are refused; 0: no such line.")
    more: bool = Field(description="Whether there is more to ask for at once.")


class VerifyKeyRequest(RequestModel):
    """An API key to be judged."""

    key: str


class VerifiedKeyView(ResponseModel):
    """Whom the API key stands for."""

    valid: Literal[True] = True
    user_id: str
    scopes: list[str]
    roles: list[str]

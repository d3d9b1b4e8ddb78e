"""Wire models of the token endpoint and the key set."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from castor_chassis import ResponseModel


class ServiceTokenView(ResponseModel):
    """A successful answer of the token endpoint (RFC 6749 section 5.1)."""

    model_config = ConfigDict(from_attributes=True)
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="Space separated; of an exchange maybe empty.")
    issued_token_type: str | None = Field(None, description="Of an exchange only (RFC 8693).")


class OAuthErrorView(ResponseModel):
    """A refusal of a token endpoint (RFC 6749 section 5.2)."""

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

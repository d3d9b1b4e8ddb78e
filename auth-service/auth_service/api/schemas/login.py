"""Wire models of login, refresh and logout."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from auth_service.api.schemas.fields import Code, OpaqueToken
from auth_service.api.schemas.users import UserView
from auth_service.crypto.password_policy import MAX_CHARACTERS
from castor_chassis import RequestModel, ResponseModel, Text


class LoginRequest(RequestModel):
    """Proof of who one is."""

    email: Annotated[Text, Field(min_length=1, max_length=254)]
    password: Annotated[Text, Field(min_length=1, max_length=MAX_CHARACTERS)]


class MfaLoginRequest(RequestModel):
    """The second step of a login."""

    mfa_token: Annotated[str, Field(min_length=1, max_length=1024)]
    code: Code


class RefreshTokenRequest(RequestModel):
    """A refresh token, to be exchanged or ended."""

    refresh_token: OpaqueToken


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

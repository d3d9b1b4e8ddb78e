"""Routes of login, refresh and logout."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from auth_service.api.dependencies import From, R, no_store, session_view
from auth_service.api.schemas.login import LoginRequest, LogoutView, MfaLoginRequest, RefreshTokenRequest, SessionView
from auth_service.errors import (
    FactorConflict,
    InvalidCode,
    InvalidCredentials,
    InvalidMfaToken,
    InvalidRefreshToken,
    MfaRequired,
    TooManyAttempts,
)
from castor_chassis import Ok, errors_of, ok, public

router = APIRouter(prefix="/v1/auth")


@router.post(
    "/login",
    responses=errors_of(InvalidCredentials, MfaRequired, TooManyAttempts),
    dependencies=[Depends(public("login is how a token is obtained")), Depends(no_store)],
    tags=["auth"],
)
async def log_in(body: LoginRequest, r: R, client: From) -> Ok[SessionView]:
    """Log in with e-mail address and password; 403 `mfa_required` asks for a second step."""
    return ok(session_view(*await r.login.log_in(body.email, body.password, client)))


@router.post(
    "/login/mfa",
    responses=errors_of(InvalidMfaToken, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(public("it is the second step of a login")), Depends(no_store)],
    tags=["accounts"],
)
async def log_in_with_code(body: MfaLoginRequest, r: R, client: From) -> Ok[SessionView]:
    """Finish a login that answered `mfa_required`."""
    return ok(session_view(*await r.mfa.log_in(body.mfa_token, body.code, client)))


@router.post(
    "/refresh",
    responses=errors_of(InvalidRefreshToken),
    dependencies=[Depends(public("the refresh token is the proof")), Depends(no_store)],
    tags=["auth"],
)
async def refresh_session(body: RefreshTokenRequest, r: R, client: From) -> Ok[SessionView]:
    """Exchange a refresh token, once, for an access token and the next refresh token.

    Sent again by the same client within seconds it gives the same successor; any other second use ends
    the session.
    """
    return ok(session_view(*await r.sessions.refresh(body.refresh_token, client)))


@router.post("/logout", dependencies=[Depends(public("the refresh token is the proof"))], tags=["auth"])
async def log_out(body: RefreshTokenRequest, r: R, client: From) -> Ok[LogoutView]:
    """End the session of a refresh token; an unknown or used-up one is no error (RFC 7009 section 2.2)."""
    await r.sessions.end(body.refresh_token, client)
    return ok(LogoutView())

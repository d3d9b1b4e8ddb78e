"""What users ask: accounts, sessions, API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import JSONResponse

from auth_service.accounts.login import NewAccount
from auth_service.api.dependencies import AccountOwner, From, KeyOwner, R, no_store, session_view
from auth_service.api.schemas.fields import (
    ApiKeyRequest,
    ApiKeyView,
    LoginRequest,
    LogoutView,
    NewApiKeyView,
    RefreshTokenRequest,
    RegisterRequest,
    SessionView,
    UserView,
)
from auth_service.api.schemas.mfa import AskedView
from auth_service.errors import (
    ApiKeyNotFound,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    MfaRequired,
    OutboxFull,
    RegistrationClosed,
    ScopeNotHeld,
    TooManyApiKeys,
    TooManyAttempts,
    UserNotFound,
    WeakPassword,
)
from castor_chassis import Ok, Page, errors_of, ok, page, public

router = APIRouter(prefix="/v1/auth", tags=["auth"])
_PENDING = {"model": Ok[AskedView], "description": "A token was sent to the address, or word that it has an account."}
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The part of the key after 'castor_'.")]


@router.post(
    "/register",
    status_code=201,
    response_model=Ok[SessionView],
    responses={**errors_of(EmailTaken, WeakPassword, RegistrationClosed, OutboxFull), 202: _PENDING},
    dependencies=[Depends(public("one registers before one has an account")), Depends(no_store)],
)
async def register(body: RegisterRequest, r: R, client: From) -> Any:
    """Ask for an account: 202, the same for every address, and a token is sent to it for /v1/auth/register/confirm.

    Where registration is open the account and a session are there at once, with 201.
    """
    begun = await r.registration.register(NewAccount(**body.model_dump()), client)
    if begun is None:
        taken = Ok[AskedView](data=AskedView()).model_dump()
        return JSONResponse(taken, 202, {"Cache-Control": "no-store"})
    return ok(session_view(*begun))


@router.post(
    "/login",
    responses=errors_of(InvalidCredentials, MfaRequired, TooManyAttempts),
    dependencies=[Depends(public("login is how a token is obtained")), Depends(no_store)],
)
async def login(body: LoginRequest, r: R, client: From) -> Ok[SessionView]:
    """Log in with e-mail address and password; 403 `mfa_required` asks for a second step."""
    return ok(session_view(*await r.accounts.log_in(body.email, body.password, client)))


@router.post(
    "/refresh",
    responses=errors_of(InvalidRefreshToken),
    dependencies=[Depends(public("the refresh token is the proof")), Depends(no_store)],
)
async def refresh(body: RefreshTokenRequest, r: R, client: From) -> Ok[SessionView]:
    """Exchange a refresh token, once, for an access token and the next refresh token.

    Sent again by the same client within seconds it gives the same successor; any other second use ends
    the session.
    """
    return ok(session_view(*await r.sessions.refresh(body.refresh_token, client)))


@router.post("/logout", dependencies=[Depends(public("the refresh token is the proof"))])
async def logout(body: RefreshTokenRequest, r: R, client: From) -> Ok[LogoutView]:
    """End the session of a refresh token; an unknown or used-up one is no error (RFC 7009 section 2.2)."""
    await r.sessions.end(body.refresh_token, client)
    return ok(LogoutView())


@router.get("/me", responses=errors_of(UserNotFound))
async def me(r: R, owner: AccountOwner) -> Ok[UserView]:
    """Return one's own account."""
    return ok(UserView.model_validate(await r.accounts.user(owner.subject)))


@router.post(
    "/api-keys",
    status_code=201,
    responses=errors_of(ScopeNotHeld, TooManyApiKeys),
    dependencies=[Depends(no_store)],
)
async def create_api_key(body: ApiKeyRequest, r: R, client: From, owner: KeyOwner) -> Ok[NewApiKeyView]:
    """Make an API key with some of one's own scopes. Its text is in this answer and nowhere else."""
    lifetime = timedelta(days=body.expires_in_days)
    key, text = await r.api_keys.create(owner, body.name, body.scopes, lifetime, client)
    return ok(NewApiKeyView(**ApiKeyView.model_validate(key).model_dump(), key=text))


@router.get("/api-keys")
async def list_api_keys(r: R, owner: KeyOwner) -> Page[ApiKeyView]:
    """Return one's API keys in force, newest first; they are few, so there is always one page."""
    return page([ApiKeyView.model_validate(key) for key in await r.api_keys.of(owner)])


@router.delete("/api-keys/{key_id}", responses=errors_of(ApiKeyNotFound))
async def revoke_api_key(key_id: KeyId, r: R, client: From, owner: KeyOwner) -> Ok[ApiKeyView]:
    """Revoke an API key; other services may honour it for some seconds more."""
    return ok(ApiKeyView.model_validate(await r.api_keys.revoke(owner, key_id, client)))

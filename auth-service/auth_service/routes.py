"""What users ask: accounts, sessions, API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from auth_service.access import AccountOwner, From, KeyOwner, R, no_store
from auth_service.accounts import NewAccount
from auth_service.errors import (
    ApiKeyNotFound,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    ScopeNotHeld,
    TooManyApiKeys,
    UserNotFound,
    WeakPassword,
)
from auth_service.schemas import (
    ApiKeyRequest,
    ApiKeyView,
    LoginRequest,
    LogoutView,
    NewApiKeyView,
    RefreshTokenRequest,
    RegisterRequest,
    SessionView,
    TokensView,
    UserView,
)
from auth_service.sessions import TokenPair
from auth_service.store import User
from castor_chassis import Ok, Page, errors_of, ok, page, public

router = APIRouter(prefix="/v1/auth", tags=["auth"])
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The part of the key after 'castor_'.")]


@router.post(
    "/register",
    status_code=201,
    responses=errors_of(EmailTaken, WeakPassword),
    dependencies=[Depends(public("one registers before one has an account")), Depends(no_store)],
)
async def register(body: RegisterRequest, r: R, client: From) -> Ok[SessionView]:
    """Make an account and log it in."""
    new = NewAccount(**body.model_dump())
    return ok(_session(*await r.accounts.register(new, client)))


@router.post(
    "/login",
    responses=errors_of(InvalidCredentials),
    dependencies=[Depends(public("login is how a token is obtained")), Depends(no_store)],
)
async def login(body: LoginRequest, r: R, client: From) -> Ok[SessionView]:
    """Log in with e-mail address and password."""
    return ok(_session(*await r.accounts.log_in(body.email, body.password, client)))


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
    return ok(_session(*await r.sessions.refresh(body.refresh_token, client)))


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


def _session(user: User, tokens: TokenPair) -> SessionView:
    return SessionView(user=UserView.model_validate(user), tokens=TokensView.model_validate(tokens))

"""Routes of passkeys: one's own, login by one, and step-up of a session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from webauthn.helpers import base64url_to_bytes

from auth_service.api.dependencies import AccountOwner, From, R, no_store, session_view
from auth_service.api.schemas.login import SessionView
from auth_service.api.schemas.me import PasswordRequest
from auth_service.api.schemas.outcomes import DoneView
from auth_service.api.schemas.passkeys import (
    AccessTokenView,
    NewPasskeyRequest,
    PasskeyAnswerRequest,
    PasskeyNameRequest,
    PasskeyOptionsView,
    PasskeyView,
    StepUpRequest,
)
from auth_service.errors import (
    FactorConflict,
    InvalidCode,
    OutboxFull,
    PasskeyNotFound,
    PasskeyRefused,
    SessionNotFound,
    TooManyAttempts,
    TooManyPasskeys,
    UserNotFound,
    WrongPassword,
)
from castor_chassis import Ok, Order, Page, Paged, Pattern, Text, Timestamp, errors_of, ok, public

router = APIRouter(prefix="/v1/auth", tags=["accounts"])
_OLDEST = Order(tuple[Timestamp, Text], lambda one: (one.created_at, one.id.hex()))
# Whole groups of four characters and a rest of two or three: what base64url without padding can be.
PasskeyId = Annotated[
    str,
    Pattern(r"^([A-Za-z0-9_-]{4}){4,341}([A-Za-z0-9_-]{2,3})?$", "must be an id from the list of one's passkeys"),
    Path(),
]


@router.post(
    "/me/passkey-options",
    responses=errors_of(UserNotFound, WrongPassword, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def begin_passkey(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[PasskeyOptionsView]:
    """Ask for a new passkey, with one's password; answer with POST /v1/auth/me/passkeys."""
    options, token = await r.passkeys.registration(await r.login.reauthenticate(owner.subject, body.password, client))
    return ok(PasskeyOptionsView(options=options, token=token))


@router.post(
    "/me/passkeys",
    status_code=201,
    responses=errors_of(UserNotFound, PasskeyRefused, TooManyPasskeys, OutboxFull),
)
async def add_passkey(body: NewPasskeyRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Register the passkey that an authenticator made; a mail tells the owner."""
    await r.passkeys.register(owner, body.token, body.name, body.credential, client)
    return ok(DoneView())


@router.get("/me/passkeys")
async def list_passkeys(
    r: R, owner: AccountOwner, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[PasskeyView]:
    """Return one's passkeys, oldest first."""
    return cursor.page_of(await r.passkeys.of_user(owner.subject), limit, _OLDEST, PasskeyView.model_validate)


@router.patch("/me/passkeys/{passkey_id}", responses=errors_of(PasskeyNotFound))
async def rename_passkey(passkey_id: PasskeyId, body: PasskeyNameRequest, r: R, owner: AccountOwner) -> Ok[DoneView]:
    """Give a passkey another name."""
    await r.passkeys.rename(owner.subject, base64url_to_bytes(passkey_id), body.name)
    return ok(DoneView())


@router.post(
    "/me/passkeys/{passkey_id}/remove",
    responses=errors_of(UserNotFound, PasskeyNotFound, WrongPassword, TooManyAttempts, OutboxFull),
)
async def remove_passkey(
    passkey_id: PasskeyId, body: PasswordRequest, r: R, client: From, owner: AccountOwner
) -> Ok[DoneView]:
    """Remove a passkey, with one's password; all sessions end."""
    user = await r.login.reauthenticate(owner.subject, body.password, client)
    await r.passkeys.remove(user, base64url_to_bytes(passkey_id), client)
    return ok(DoneView())


@router.post("/login/passkey/options", dependencies=[Depends(public("it is how a login begins")), Depends(no_store)])
async def begin_passkey_login(r: R) -> Ok[PasskeyOptionsView]:
    """Ask for a login or a step-up by passkey; the answer says nothing about who has one."""
    options, token = r.passkeys.authentication()
    return ok(PasskeyOptionsView(options=options, token=token))


@router.post(
    "/login/passkey",
    responses=errors_of(PasskeyRefused),
    dependencies=[Depends(public("login is how a token is obtained")), Depends(no_store)],
)
async def log_in_with_passkey(body: PasskeyAnswerRequest, r: R, client: From) -> Ok[SessionView]:
    """Log in with a passkey alone: it is two factors, possession and the person that the authenticator verified."""
    return ok(session_view(*await r.passkeys.log_in(body.token, body.credential, client)))


@router.post(
    "/me/step-up",
    responses=errors_of(UserNotFound, InvalidCode, FactorConflict, SessionNotFound, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def step_up(body: StepUpRequest, r: R, client: From, owner: AccountOwner) -> Ok[AccessTokenView]:
    """Give the session a second factor by an MFA code: `acr` is `aal2` from now on."""
    token = await r.mfa.step_up(owner.subject, str(owner.session_id), body.code, client)
    return ok(AccessTokenView.model_validate(token))


@router.post(
    "/me/step-up/passkey", responses=errors_of(PasskeyRefused, SessionNotFound), dependencies=[Depends(no_store)]
)
async def step_up_with_passkey(body: PasskeyAnswerRequest, r: R, owner: AccountOwner) -> Ok[AccessTokenView]:
    """Give the session a second factor by a passkey: `acr` is `aal2` from now on."""
    found = await r.passkeys.step_up(owner.subject, str(owner.session_id), body.token, body.credential)
    return ok(AccessTokenView.model_validate(found))

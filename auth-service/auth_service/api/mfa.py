"""Routes of a user's multi-factor authentication."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from auth_service.api.dependencies import AccountOwner, From, R, no_store, session_view
from auth_service.api.schemas.me import PasswordRequest
from auth_service.api.schemas.mfa import (
    ConfirmedView,
    DigitsRequest,
    EnrolmentView,
    FactorRequest,
    FactorView,
    RecoveryCodesView,
)
from auth_service.api.schemas.outcomes import DoneView
from auth_service.errors import FactorConflict, InvalidCode, TooManyAttempts, UserNotFound, WrongPassword
from castor_chassis import Ok, errors_of, ok

router = APIRouter(prefix="/v1/auth/me/mfa", tags=["accounts"])


# The name of this function is the operation's id in the contract.
@router.get("", responses=errors_of(UserNotFound))
async def get_factor(r: R, owner: AccountOwner) -> Ok[FactorView]:
    """Return the state of one's second factor."""
    return ok(FactorView.model_validate(await r.mfa.state(owner.subject)))


@router.post(
    "/totp",
    status_code=201,
    responses=errors_of(UserNotFound, WrongPassword, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def enrol_factor(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[EnrolmentView]:
    """Make a key for an authenticator app; it counts once a code of it was confirmed."""
    user = await r.login.reauthenticate(owner.subject, body.password, client)
    return ok(EnrolmentView.model_validate(await r.mfa.enrol(user, client)))


@router.post(
    "/totp/confirm",
    responses=errors_of(UserNotFound, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def confirm_factor(body: DigitsRequest, r: R, client: From, owner: AccountOwner) -> Ok[ConfirmedView]:
    """Make the key count: all sessions end, and this answer has recovery codes and a new session."""
    codes, user, tokens = await r.mfa.confirm(owner, body.code, client)
    return ok(ConfirmedView(recovery_codes=codes, session=session_view(user, tokens)))


@router.post(
    "/recovery-codes",
    responses=errors_of(UserNotFound, WrongPassword, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def renew_recovery_codes(body: FactorRequest, r: R, client: From, owner: AccountOwner) -> Ok[RecoveryCodesView]:
    """Return new recovery codes; the old ones are void."""
    user = await r.login.reauthenticate(owner.subject, body.password, client)
    return ok(RecoveryCodesView(recovery_codes=await r.mfa.renew_codes(user, body.code, client)))


@router.post(
    "/disable",
    responses=errors_of(UserNotFound, WrongPassword, InvalidCode, FactorConflict, TooManyAttempts),
)
async def disable_factor(body: FactorRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Remove one's second factor; all sessions end."""
    user = await r.login.reauthenticate(owner.subject, body.password, client)
    await r.mfa.disable(user, body.code, client)
    return ok(DoneView())

"""Routes for tokens that were mailed: a forgotten password, another address."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from auth_service.api.dependencies import From, R, remaining_views
from auth_service.api.schemas.outcomes import AskedView, DoneView
from auth_service.api.schemas.recovery import (
    ForgotPasswordRequest,
    PasswordResetView,
    ResetPasswordRequest,
    TokenRequest,
)
from auth_service.credentials.model import AlsoEnded
from auth_service.errors import InvalidOneTimeToken, OutboxFull, WeakPassword
from castor_chassis import Ok, errors_of, ok, public

router = APIRouter(prefix="/v1/auth", tags=["accounts"])
_SENT = public("the token that was sent to the address is the proof")


@router.post(
    "/password/forgot",
    status_code=202,
    responses=errors_of(OutboxFull),
    dependencies=[Depends(public("who forgot the password cannot log in"))],
)
async def forgot_password(body: ForgotPasswordRequest, r: R, client: From) -> Ok[AskedView]:
    """Send a one-time token to the address, if it has an account; the answer is the same either way."""
    await r.password_reset.ask(body.email, client)
    return ok(AskedView())


@router.post(
    "/password/reset",
    responses=errors_of(InvalidOneTimeToken, WeakPassword),
    dependencies=[Depends(_SENT)],
)
async def reset_password(body: ResetPasswordRequest, r: R, client: From) -> Ok[PasswordResetView]:
    """Set another password with a one-time token; all sessions end; one logs in as before.

    API keys and passkeys end as well if asked; the answer lists those that are left.
    """
    also = AlsoEnded(body.revoke_api_keys, body.remove_passkeys)
    left = await r.password_reset.reset(body.token, body.new_password, client, also)
    return ok(PasswordResetView(**remaining_views(left)))


@router.post("/email/confirm", responses=errors_of(InvalidOneTimeToken), dependencies=[Depends(_SENT)])
async def confirm_email(body: TokenRequest, r: R, client: From) -> Ok[DoneView]:
    """Give the account the address that the token was sent to; all sessions end."""
    await r.email_change.confirm(body.token, client)
    return ok(DoneView())

"""What people do with their own accounts."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from auth_service.api.dependencies import AccountOwner, From, R, no_store, session_view
from auth_service.api.schemas.fields import ProfileRequest, SessionView, UserView
from auth_service.api.schemas.mfa import (
    AskedView,
    ChangeEmailRequest,
    ChangePasswordRequest,
    ConfirmedView,
    ConfirmRegistrationRequest,
    DigitsRequest,
    DoneView,
    EnrolmentView,
    FactorRequest,
    FactorView,
    ForgotPasswordRequest,
    MfaLoginRequest,
    PasswordRequest,
    RecoveryCodesView,
    ResetPasswordRequest,
    TokenRequest,
)
from auth_service.errors import (
    FactorConflict,
    InvalidCode,
    InvalidMfaToken,
    InvalidOneTimeToken,
    LastAdministrator,
    OutboxFull,
    TooManyAttempts,
    UserNotFound,
    WeakPassword,
    WrongPassword,
)
from castor_chassis import Ok, errors_of, ok, public

router = APIRouter(prefix="/v1/auth", tags=["accounts"])
_SENT = public("the token that was sent to the address is the proof")


@router.post(
    "/register/confirm",
    status_code=201,
    responses=errors_of(InvalidOneTimeToken),
    dependencies=[Depends(_SENT), Depends(no_store)],
)
async def confirm_registration(body: ConfirmRegistrationRequest, r: R, client: From) -> Ok[SessionView]:
    """Open the account that was registered, and log in."""
    return ok(session_view(*await r.registration.confirm(body.token, body.password, client)))


@router.post(
    "/login/mfa",
    responses=errors_of(InvalidMfaToken, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(public("it is the second step of a login")), Depends(no_store)],
)
async def log_in_with_code(body: MfaLoginRequest, r: R, client: From) -> Ok[SessionView]:
    """Finish a login that answered `mfa_required`."""
    return ok(session_view(*await r.second_factor.log_in(body.mfa_token, body.code, client)))


@router.post(
    "/password/forgot",
    status_code=202,
    responses=errors_of(OutboxFull),
    dependencies=[Depends(public("who forgot the password cannot log in"))],
)
async def forgot_password(body: ForgotPasswordRequest, r: R, client: From) -> Ok[AskedView]:
    """Send a one-time token to the address, if it has an account; the answer is the same either way."""
    await r.recovery.ask(body.email, client)
    return ok(AskedView())


@router.post("/password/reset", responses=errors_of(InvalidOneTimeToken, WeakPassword), dependencies=[Depends(_SENT)])
async def reset_password(body: ResetPasswordRequest, r: R, client: From) -> Ok[DoneView]:
    """Set another password with a one-time token; all sessions end, and one logs in as ever."""
    await r.recovery.reset(body.token, body.new_password, client)
    return ok(DoneView())


@router.post("/email/confirm", responses=errors_of(InvalidOneTimeToken), dependencies=[Depends(_SENT)])
async def confirm_email(body: TokenRequest, r: R, client: From) -> Ok[DoneView]:
    """Give the account the address that the token was sent to; all sessions end."""
    await r.recovery.change_email(body.token, client)
    return ok(DoneView())


@router.patch("/me", responses=errors_of(UserNotFound))
async def update_me(body: ProfileRequest, r: R, client: From, owner: AccountOwner) -> Ok[UserView]:
    """Change what one says about oneself."""
    changes = body.model_dump(exclude_unset=True)
    return ok(UserView.model_validate(await r.profile.update(owner.subject, changes, client)))


@router.post(
    "/me/password",
    responses=errors_of(UserNotFound, WrongPassword, WeakPassword, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def change_password(body: ChangePasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[SessionView]:
    """Set another password: all sessions end, and a new one begins in this answer."""
    return ok(
        session_view(*await r.profile.change_password(owner.subject, body.current_password, body.new_password, client))
    )


@router.post(
    "/me/email", status_code=202, responses=errors_of(UserNotFound, WrongPassword, TooManyAttempts, OutboxFull)
)
async def change_email(body: ChangeEmailRequest, r: R, client: From, owner: AccountOwner) -> Ok[AskedView]:
    """Send a token to another address; the account has it once the token is shown to /v1/auth/email/confirm."""
    await r.profile.ask_email(owner.subject, body.password, body.new_email, client)
    return ok(AskedView())


@router.post("/me/deactivate", responses=errors_of(UserNotFound, WrongPassword, LastAdministrator, TooManyAttempts))
async def deactivate(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Close one's account: sessions and keys end, the data stay, an administrator can open it again."""
    await r.profile.close(owner.subject, body.password, client)
    return ok(DoneView())


@router.post("/me/erase", responses=errors_of(UserNotFound, WrongPassword, LastAdministrator, TooManyAttempts))
async def erase(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Erase one's account and all personal data, for ever."""
    await r.profile.erase(owner.subject, body.password, client)
    return ok(DoneView())


@router.get("/me/mfa", responses=errors_of(UserNotFound))
async def second_factor(r: R, owner: AccountOwner) -> Ok[FactorView]:
    """Return the state of one's second factor."""
    return ok(FactorView(**await r.second_factor.state(owner.subject)))


@router.post(
    "/me/mfa/totp",
    status_code=201,
    responses=errors_of(UserNotFound, WrongPassword, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def enrol(body: PasswordRequest, r: R, client: From, owner: AccountOwner) -> Ok[EnrolmentView]:
    """Make a key for an authenticator app; it counts once a code of it was confirmed."""
    user = await r.profile.prove(owner.subject, body.password, client)
    enrolment = await r.second_factor.enrol(user, client)
    return ok(EnrolmentView(secret=enrolment.secret, uri=enrolment.uri))


@router.post(
    "/me/mfa/totp/confirm",
    responses=errors_of(UserNotFound, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def confirm_factor(body: DigitsRequest, r: R, client: From, owner: AccountOwner) -> Ok[ConfirmedView]:
    """Make the key count: all sessions end, and this answer has recovery codes and a new session."""
    codes, user, tokens = await r.second_factor.confirm(owner.subject, body.code, client)
    return ok(ConfirmedView(recovery_codes=codes, session=session_view(user, tokens)))


@router.post(
    "/me/mfa/recovery-codes",
    responses=errors_of(UserNotFound, WrongPassword, InvalidCode, FactorConflict, TooManyAttempts),
    dependencies=[Depends(no_store)],
)
async def renew_codes(body: FactorRequest, r: R, client: From, owner: AccountOwner) -> Ok[RecoveryCodesView]:
    """Return new recovery codes; the old ones are void."""
    user = await r.profile.prove(owner.subject, body.password, client)
    return ok(RecoveryCodesView(recovery_codes=await r.second_factor.renew_codes(user, body.code, client)))


@router.post(
    "/me/mfa/disable",
    responses=errors_of(UserNotFound, WrongPassword, InvalidCode, FactorConflict, TooManyAttempts),
)
async def disable_factor(body: FactorRequest, r: R, client: From, owner: AccountOwner) -> Ok[DoneView]:
    """Remove one's second factor; all sessions end."""
    user = await r.profile.prove(owner.subject, body.password, client)
    await r.second_factor.disable(user, body.code, client)
    return ok(DoneView())

"""Routes of registration."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from auth_service.accounts.registration import NewAccount
from auth_service.api.dependencies import From, R, no_store, session_view
from auth_service.api.schemas.login import SessionView
from auth_service.api.schemas.outcomes import AskedView
from auth_service.api.schemas.registration import ConfirmRegistrationRequest, RegisterRequest
from auth_service.errors import EmailTaken, InvalidOneTimeToken, OutboxFull, RegistrationClosed, WeakPassword
from auth_service.users.model import Profile
from castor_chassis import Ok, errors_of, ok, public

router = APIRouter(prefix="/v1/auth")
_PENDING = {"model": Ok[AskedView], "description": "A token was sent to the address, or word that it has an account."}


@router.post(
    "/register",
    status_code=201,
    response_model=Ok[SessionView],
    responses={**errors_of(EmailTaken, WeakPassword, RegistrationClosed, OutboxFull), 202: _PENDING},
    dependencies=[Depends(public("one registers before one has an account")), Depends(no_store)],
    tags=["auth"],
)
async def register_user(body: RegisterRequest, r: R, client: From) -> Any:
    """Ask for an account: 202, the same for every address, and a token is sent to it for /v1/auth/register/confirm.

    Where registration is open the account and a session are there at once, with 201.
    """
    profile = Profile(**body.model_dump(exclude={"email", "password"}))
    begun = await r.registration.register(NewAccount(body.email, body.password, profile), client)
    if begun is None:
        asked = Ok[AskedView](data=AskedView()).model_dump()
        return JSONResponse(asked, 202, {"Cache-Control": "no-store"})
    return ok(session_view(*begun))


@router.post(
    "/register/confirm",
    status_code=201,
    responses=errors_of(InvalidOneTimeToken),
    dependencies=[Depends(public("the token that was sent to the address is the proof")), Depends(no_store)],
    tags=["accounts"],
)
async def confirm_registration(body: ConfirmRegistrationRequest, r: R, client: From) -> Ok[SessionView]:
    """Open the account that was registered, and log in."""
    return ok(session_view(*await r.registration.confirm(body.token, body.password, client)))

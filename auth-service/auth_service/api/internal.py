"""Routes for services only, closed at the ingress: validation, accounts, revocations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from auth_service.api.dependencies import R, account_reader, services_only
from auth_service.api.schemas.fields import UUID_TEXT
from auth_service.api.schemas.internal import (
    InternalUserView,
    InvalidView,
    RevocationsView,
    ValidateRequest,
    ValidView,
    VerifiedKeyView,
    VerifyKeyRequest,
)
from auth_service.errors import UserNotFound
from auth_service.tokens.validation import InvalidToken, validate
from castor_chassis import Ok, Principal, errors_of, ok

router = APIRouter(
    prefix="/internal",
    tags=["internal"],
    dependencies=[Depends(services_only("the certificate of a service is the proof"))],
)
UserId = Annotated[str, UUID_TEXT]


@router.post("/validate-token")
async def validate_token(body: ValidateRequest, r: R) -> ValidView | InvalidView:
    """Say what a user's access token is worth; a bad one is an answer, not an error."""
    found = await validate(r.verifier, body.token)
    return InvalidView.model_validate(found) if isinstance(found, InvalidToken) else ValidView.model_validate(found)


@router.get("/user/{user_id}", responses=errors_of(UserNotFound), dependencies=[Depends(account_reader)])
async def get_internal_user(user_id: UserId, r: R) -> InternalUserView:
    """Return an account."""
    return InternalUserView.model_validate(await r.users.get(user_id))


@router.get("/revocations")
async def list_revocations(r: R, after: Annotated[int, Query(ge=0, le=2**62)] = 0) -> Ok[RevocationsView]:
    """Return the sessions that ended, after an epoch, before their access tokens did; all for an epoch to come."""
    return ok(RevocationsView.model_validate(await r.revocations.since(after)))


@router.post("/api-keys/verify")
async def verify_api_key(body: VerifyKeyRequest, r: R) -> Ok[VerifiedKeyView | InvalidView]:
    """Say whom an API key stands for; a bad one is an answer, not an error."""
    return ok(_key_verdict(await r.api_keys.verify(body.key)))


def _key_verdict(owner: Principal | None) -> VerifiedKeyView | InvalidView:
    if owner is None:
        return InvalidView(reason="The API key is unknown, expired or revoked")
    return VerifiedKeyView(user_id=owner.subject, scopes=sorted(owner.scopes), roles=list(owner.roles), org=owner.org)

"""Routes of a user's own API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from auth_service.api.dependencies import NEWEST, From, KeyOwner, R, no_store
from auth_service.api.schemas.api_keys import ApiKeyRequest, ApiKeyView, NewApiKeyView, RotateKeyRequest
from auth_service.credentials.model import ApiKey
from auth_service.errors import ApiKeyNotFound, OutboxFull, ScopeNotHeld, TooManyApiKeys
from castor_chassis import IdempotencyInFlight, Ok, Once, Page, Paged, Pattern, errors_of, ok

router = APIRouter(prefix="/v1/auth/api-keys", tags=["auth"])
KeyId = Annotated[
    str,
    Pattern(r"^[0-9a-f]{16}$", "must be the 16 digits of a key after 'castor_', 0 to 9 and a to f"),
    Path(description="The part of the key after 'castor_'."),
]


@router.post(
    "",
    status_code=201,
    responses=errors_of(ScopeNotHeld, TooManyApiKeys, OutboxFull, IdempotencyInFlight),
    dependencies=[Depends(no_store)],
)
async def create_api_key(body: ApiKeyRequest, r: R, client: From, owner: KeyOwner, _once: Once) -> Ok[NewApiKeyView]:
    """Make an API key with some of one's own scopes. Its text is only in this answer; a mail tells the owner of it."""
    lifetime = timedelta(days=body.expires_in_days)
    return ok(_with_text(*await r.api_keys.create(owner, body.name, body.scopes, lifetime, client)))


@router.get("")
async def list_api_keys(
    r: R, owner: KeyOwner, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[ApiKeyView]:
    """Return one's API keys in force, newest first."""
    return cursor.page_of(await r.api_keys.in_force(owner), limit, NEWEST, ApiKeyView.model_validate)


@router.post("/{key_id}/rotate", responses=errors_of(ApiKeyNotFound), dependencies=[Depends(no_store)])
async def rotate_api_key(
    key_id: KeyId, body: RotateKeyRequest, r: R, client: From, owner: KeyOwner
) -> Ok[NewApiKeyView]:
    """Give a key another secret, shown once; the one before holds for the grace period. Not idempotent."""
    lifetime, grace = timedelta(days=body.expires_in_days), timedelta(seconds=body.grace_seconds)
    return ok(_with_text(*await r.api_keys.rotate(owner, key_id, lifetime, grace, client)))


@router.delete("/{key_id}", responses=errors_of(ApiKeyNotFound))
async def revoke_api_key(key_id: KeyId, r: R, client: From, owner: KeyOwner) -> Ok[ApiKeyView]:
    """Revoke an API key; other services may honour it for some seconds more."""
    return ok(ApiKeyView.model_validate(await r.api_keys.revoke(owner, key_id, client)))


def _with_text(key: ApiKey, text: str) -> NewApiKeyView:
    return NewApiKeyView(**ApiKeyView.model_validate(key).model_dump(), key=text)

"""Routes of a user's own API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from auth_service.api.dependencies import From, KeyOwner, R, key_views, no_store
from auth_service.api.schemas.api_keys import ApiKeyRequest, ApiKeyView, NewApiKeyView, RotateKeyRequest
from auth_service.credentials.api_key_repository import ApiKey
from auth_service.errors import ApiKeyNotFound, OutboxFull, ScopeNotHeld, TooManyApiKeys
from castor_chassis import Ok, Page, errors_of, ok, page

router = APIRouter(prefix="/v1/auth/api-keys", tags=["auth"])
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The part of the key after 'castor_'.")]


@router.post(
    "", status_code=201, responses=errors_of(ScopeNotHeld, TooManyApiKeys, OutboxFull), dependencies=[Depends(no_store)]
)
async def create_api_key(body: ApiKeyRequest, r: R, client: From, owner: KeyOwner) -> Ok[NewApiKeyView]:
    """Make an API key with some of one's own scopes. Its text is only in this answer; a mail tells the owner of it."""
    lifetime = timedelta(days=body.expires_in_days)
    return ok(_with_text(*await r.api_keys.create(owner, body.name, body.scopes, lifetime, client)))


@router.get("")
async def list_api_keys(r: R, owner: KeyOwner) -> Page[ApiKeyView]:
    """Return one's API keys in force, newest first; they are few, so there is always one page."""
    return page(key_views(await r.api_keys.in_force(owner)))


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

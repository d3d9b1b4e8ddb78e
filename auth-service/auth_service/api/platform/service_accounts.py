"""Routes of service accounts, for administrators."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from auth_service.api.dependencies import NEWEST, Administrator, From, R, actor, no_store
from auth_service.api.platform.service_account_schemas import (
    CredentialRequest,
    CredentialView,
    NewCredentialView,
    ServiceAccountDetails,
    ServiceAccountRequest,
    ServiceAccountView,
)
from auth_service.api.schemas.outcomes import DoneView
from auth_service.errors import OrganisationNotFound, UserNotFound
from auth_service.service_accounts.errors import (
    CredentialNotFound,
    PublicKeyRefused,
    ScopeNotGrantable,
    ServiceAccountNotFound,
    TooManyCredentials,
    TooManyServiceAccounts,
)
from auth_service.service_accounts.model import ServiceAccount
from auth_service.service_accounts.service import NewAccount
from castor_chassis import IdempotencyInFlight, Ok, Once, Page, Paged, Pattern, errors_of, ok

router = APIRouter(prefix="/v1/auth/service-accounts", tags=["service-accounts"])
AccountId = Annotated[
    str,
    Pattern(r"^castor-account-[0-9a-f]{12}$", "must be an id such as castor-account-0123456789ab"),
    Path(description="From the list of accounts."),
]
CredentialId = Annotated[
    str,
    Pattern(r"^[0-9a-f]{12}$", "must be the 12 digits of a credential, 0 to 9 and a to f"),
    Path(description="Of a credential of the account."),
]
_NOT_FOUND = errors_of(ServiceAccountNotFound)


@router.post(
    "",
    status_code=201,
    responses=errors_of(
        ScopeNotGrantable, UserNotFound, OrganisationNotFound, TooManyServiceAccounts, IdempotencyInFlight
    ),
)
async def create_service_account(
    body: ServiceAccountRequest, r: R, client: From, by: Administrator, _once: Once
) -> Ok[ServiceAccountView]:
    """Make a machine identity that belongs to a user or to an organisation. Idempotent with an Idempotency-Key."""
    owner = uuid.UUID(body.owner_id) if body.owner_id is not None else None
    new = NewAccount(body.name, body.scopes, owner, body.org, by.org or "")
    return ok(_view(await r.service_accounts.create(new, actor(by), by.scopes, client)))


@router.get("")
async def list_service_accounts(
    r: R, by: Administrator, cursor: Paged, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Page[ServiceAccountView]:
    """Return the service accounts of one's organisation, newest first, of the 1,000 newest."""
    return cursor.page_of(await r.service_accounts.listed(actor(by)), limit, NEWEST, _view)


@router.get("/{account_id}", responses=_NOT_FOUND)
async def get_service_account(account_id: AccountId, r: R, by: Administrator) -> Ok[ServiceAccountDetails]:
    """Return a service account with its credentials in force."""
    account, held = await r.service_accounts.get(account_id, actor(by))
    credentials = [CredentialView.model_validate(one) for one in held]
    return ok(ServiceAccountDetails(**_view(account).model_dump(), credentials=credentials))


@router.post("/{account_id}/disable", responses=_NOT_FOUND)
async def disable_service_account(
    account_id: AccountId, r: R, client: From, by: Administrator
) -> Ok[ServiceAccountView]:
    """Give a service account no more tokens, and end those that it has, within a second."""
    return ok(_view(await r.service_accounts.set_disabled(account_id, True, actor(by), client)))


@router.post("/{account_id}/enable", responses=_NOT_FOUND)
async def enable_service_account(
    account_id: AccountId, r: R, client: From, by: Administrator
) -> Ok[ServiceAccountView]:
    """Give a disabled service account tokens again."""
    return ok(_view(await r.service_accounts.set_disabled(account_id, False, actor(by), client)))


@router.delete("/{account_id}", responses=_NOT_FOUND)
async def delete_service_account(
    account_id: AccountId, r: R, client: From, by: Administrator
) -> Ok[ServiceAccountView]:
    """Delete a service account with its credentials, and end its tokens, within a second."""
    return ok(_view(await r.service_accounts.delete(account_id, actor(by), client)))


@router.post(
    "/{account_id}/credentials",
    status_code=201,
    responses=errors_of(ServiceAccountNotFound, TooManyCredentials, PublicKeyRefused, IdempotencyInFlight),
    dependencies=[Depends(no_store)],
)
async def add_credential(
    account_id: AccountId, body: CredentialRequest, r: R, client: From, by: Administrator, _once: Once
) -> Ok[NewCredentialView]:
    """Make a secret, shown once, or register a public key; at most ten of both hold at a time.

    Idempotent with an Idempotency-Key.
    """
    lifetime, secret = timedelta(days=body.expires_in_days), None
    if body.public_key is None:
        made, secret = await r.service_accounts.add_secret(account_id, lifetime, actor(by), client)
    else:
        key = body.public_key.model_dump(exclude_none=True)
        made = await r.service_accounts.add_public_key(account_id, key, lifetime, actor(by), client)
    return ok(NewCredentialView(**CredentialView.model_validate(made).model_dump(), client_secret=secret))


@router.delete(
    "/{account_id}/credentials/{credential_id}", responses=errors_of(ServiceAccountNotFound, CredentialNotFound)
)
async def revoke_credential(
    account_id: AccountId, credential_id: CredentialId, r: R, client: From, by: Administrator
) -> Ok[DoneView]:
    """End a credential, and the tokens that were got with it, within a second."""
    await r.service_accounts.revoke_credential(account_id, credential_id, actor(by), client)
    return ok(DoneView())


def _view(account: ServiceAccount) -> ServiceAccountView:
    return ServiceAccountView.model_validate(account)

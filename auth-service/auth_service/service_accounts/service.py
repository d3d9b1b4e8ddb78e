"""What administrators do with service accounts and their credentials."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from auth_service.audit.recorder import Audit
from auth_service.crypto.digests import digest
from auth_service.errors import OrganisationNotFound, UserNotFound
from auth_service.revocations.service import Revocations
from auth_service.service_accounts import credential_repository, repository
from auth_service.service_accounts.errors import (
    CredentialNotFound,
    ScopeNotGrantable,
    ServiceAccountNotFound,
    TooManyCredentials,
    TooManyServiceAccounts,
)
from auth_service.service_accounts.model import MACHINE_SCOPES, Credential, ServiceAccount
from auth_service.service_accounts.public_keys import public_key_text
from auth_service.tokens.issuer import TokenIssuer
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Actor
from castor_chassis import Postgres

MAX_ACCOUNTS = 200
"""Per organisation, those of its members included."""
MAX_CREDENTIALS = 10
"""In force per account."""
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an administrator asks for."""

    name: str
    scopes: Sequence[str]
    owner_id: uuid.UUID | None
    """None: the organisation owns it."""
    org: str | None
    """The owning organisation if no user is, or the one that this user is to belong to; None: the present one."""
    own_org: str
    """That of the administrator."""


@dataclass(frozen=True)
class ServiceAccounts:
    """Makes, lists, disables and deletes accounts; adds and revokes their credentials.

    ``by`` is the administrator: accounts of another organisation than theirs are not found.
    """

    postgres: Postgres
    audit: Audit
    revocations: Revocations
    issuer: TokenIssuer

    async def create(self, new: NewAccount, by: Actor, held: frozenset[str], client: Client) -> ServiceAccount:
        """Return a new account without credentials; ``held`` are the administrator's scopes.

        Raises ``ScopeNotGrantable``, ``TooManyServiceAccounts``, ``UserNotFound`` or ``OrganisationNotFound``.
        """
        account_id, scopes = f"castor-account-{secrets.token_hex(6)}", sorted(set(new.scopes))
        async with self.postgres.transaction() as db:
            org, grantable = await self._owner(db, new, by, held)
            lacking = [scope for scope in scopes if scope not in grantable]
            if lacking:
                raise ScopeNotGrantable(scopes=" ".join(lacking))
            if await repository.count(db, org) >= MAX_ACCOUNTS:
                raise TooManyServiceAccounts(limit=MAX_ACCOUNTS)
            owning = None if new.owner_id is not None else org
            await repository.insert(db, account_id, new.name, new.owner_id, owning, scopes)
            owner = str(new.owner_id) if new.owner_id is not None else org
            await self._record(db, "service_account_created", by, account_id, client, owner=owner, scopes=scopes)
            return _found(await repository.by_id(db, account_id, None), account_id)

    async def _owner(
        self, db: asyncpg.Connection, new: NewAccount, by: Actor, held: frozenset[str]
    ) -> tuple[str, frozenset[str]]:
        """Return the owner's organisation, locked, and the scopes that an account of this owner may have."""
        org, grantable = new.org or new.own_org, held & MACHINE_SCOPES
        if new.owner_id is not None:
            owner = await users.lock(db, new.owner_id, within=by.within)
            if owner is None:
                raise UserNotFound(user_id=str(new.owner_id))
            if new.org not in (None, owner.org):
                raise OrganisationNotFound(org=str(new.org))
            org = owner.org
            grantable = self.issuer.scopes(owner, mfa_used=owner.has_second_factor) & MACHINE_SCOPES
        reached = by.within is None or by.within == org
        if not reached or not await repository.lock_organisation(db, org):
            raise OrganisationNotFound(org=org)
        return org, frozenset(grantable)

    async def listed(self, by: Actor) -> list[ServiceAccount]:
        """Return accounts, newest first, at most 1,000."""
        return await repository.listed(self.postgres, by.within, _LISTED)

    async def get(self, account_id: str, by: Actor) -> tuple[ServiceAccount, list[Credential]]:
        """Return an account and its credentials in force; raises ``ServiceAccountNotFound``."""
        account = _found(await repository.by_id(self.postgres, account_id, by.within), account_id)
        return account, await credential_repository.in_force(self.postgres, account_id)

    async def set_disabled(self, account_id: str, disabled: bool, by: Actor, client: Client) -> ServiceAccount:
        """Disable an account, whose tokens end at once, or enable it; raises ``ServiceAccountNotFound``."""
        async with self._change(account_id, by) as db:
            await repository.set_disabled(db, account_id, disabled)
            await self._record(db, f"service_account_{'disabled' if disabled else 'enabled'}", by, account_id, client)
            changed = _found(await repository.by_id(db, account_id, None), account_id)
            if disabled:
                ended = await credential_repository.renew_sessions(db, account_id)
                await self.revocations.add(db, "session", ended)
        return changed

    async def delete(self, account_id: str, by: Actor, client: Client) -> ServiceAccount:
        """Delete an account, whose tokens end at once; raises ``ServiceAccountNotFound``."""
        async with self._change(account_id, by) as db:
            account = _found(await repository.by_id(db, account_id, None), account_id)
            await self._record(db, "service_account_deleted", by, account_id, client)
            ended = await credential_repository.renew_sessions(db, account_id)
            await repository.delete(db, account_id)
            await self.revocations.add(db, "session", ended)
        return account

    async def add_secret(
        self, account_id: str, lifetime: timedelta, by: Actor, client: Client
    ) -> tuple[Credential, str]:
        """Return a new secret of an account, which is not stored, and its record; raises as ``add_public_key``."""
        secret = secrets.token_urlsafe(32)
        made = await self._add(account_id, lifetime, by, client, secret_hash=digest(secret))
        return made, secret

    async def add_public_key(
        self, account_id: str, key: Mapping[str, str], lifetime: timedelta, by: Actor, client: Client
    ) -> Credential:
        """Register a public key (the members of a JWK).

        Raises ``PublicKeyRefused``, ``ServiceAccountNotFound`` or ``TooManyCredentials``.
        """
        return await self._add(account_id, lifetime, by, client, public_key=public_key_text(key))

    async def _add(
        self,
        account_id: str,
        lifetime: timedelta,
        by: Actor,
        client: Client,
        *,
        secret_hash: bytes | None = None,
        public_key: str | None = None,
    ) -> Credential:
        credential_id = secrets.token_hex(6)
        async with self._change(account_id, by) as db:
            if len(await credential_repository.in_force(db, account_id)) >= MAX_CREDENTIALS:
                raise TooManyCredentials(limit=MAX_CREDENTIALS)
            made = await credential_repository.insert(
                db, credential_id, account_id, lifetime, secret_hash=secret_hash, public_key=public_key
            )
            event = "service_account_credential_added"
            await self._record(db, event, by, account_id, client, credential=credential_id, kind=made.kind)
        return made

    async def revoke_credential(self, account_id: str, credential_id: str, by: Actor, client: Client) -> None:
        """End a credential and the tokens that it got.

        Raises ``ServiceAccountNotFound`` or ``CredentialNotFound``.
        """
        async with self._change(account_id, by) as db:
            session = await credential_repository.revoke(db, account_id, credential_id)
            if session is None:
                raise CredentialNotFound(credential_id=credential_id)
            event = "service_account_credential_revoked"
            await self._record(db, event, by, account_id, client, credential=credential_id)
            await self.revocations.add(db, "session", [session])

    @asynccontextmanager
    async def _change(self, account_id: str, by: Actor) -> AsyncIterator[asyncpg.Connection]:
        async with self.revocations.transaction() as db:
            _found(await repository.lock(db, account_id, by.within), account_id)
            yield db

    async def _record(
        self, db: asyncpg.Connection, event: str, by: Actor, about: str, client: Client, **details: object
    ) -> None:
        await self.audit.record(db, event, subject=by.id, client=client, about=about, **details)


def _found(account: ServiceAccount | None, account_id: str) -> ServiceAccount:
    if account is None:
        raise ServiceAccountNotFound(account_id=account_id)
    return account

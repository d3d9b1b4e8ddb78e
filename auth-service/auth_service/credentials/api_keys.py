"""API keys of users, for scripts: ``castor_<id>_<secret>``, shown once, stored hashed."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from auth_service.audit.recorder import Audit
from auth_service.credentials import api_key_repository
from auth_service.credentials.model import ApiKey
from auth_service.crypto.digests import digest
from auth_service.errors import AccountChanged, ApiKeyNotFound, ScopeNotHeld, TooManyApiKeys
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.revocations.service import Revocations
from auth_service.tokens.issuer import TokenIssuer
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import Postgres, Principal, Unavailable

_KEY = re.compile(r"castor_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class ApiKeys:
    """Creates, lists, rotates, revokes and verifies keys."""

    postgres: Postgres
    audit: Audit
    revocations: Revocations
    issuer: TokenIssuer
    outbox: Outbox
    limit: int
    """The most keys in force that a user may have."""

    async def create(
        self, owner: Principal, name: str, scopes: Iterable[str], lifetime: timedelta, client: Client
    ) -> tuple[ApiKey, str]:
        """Return a new key and its text, which is not stored.

        Raises ``ScopeNotHeld``, ``TooManyApiKeys``, ``OutboxFull`` or ``AccountChanged``.
        """
        granted = sorted(set(scopes))
        lacking = [scope for scope in granted if scope not in owner.scopes]
        if lacking:
            raise ScopeNotHeld(scopes=" ".join(lacking))
        user_id, key_id, secret = uuid.UUID(owner.subject), secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self.postgres.transaction() as db:
            user = await self._held_owner(db, owner)
            if len(await api_key_repository.in_force(db, user_id)) >= self.limit:
                raise TooManyApiKeys(limit=self.limit)
            key = await api_key_repository.insert(db, key_id, user_id, name, digest(secret), granted, lifetime)
            await self.outbox.append(db, "api_key_created", user.email, keys=f"castor_{key_id}")
            await self.audit.record(db, "api_key_created", subject=owner.subject, client=client, key=key_id)
        return key, f"castor_{key_id}_{secret}"

    @staticmethod
    async def _held_owner(db: asyncpg.Connection, owner: Principal) -> User:
        """Lock and return the account; raise ``AccountChanged`` if the caller's session has ended.

        A key made by it would outlive it.
        """
        user = await users.lock(db, uuid.UUID(owner.subject))
        session = uuid.UUID(owner.session_id) if owner.session_id is not None else None
        if user is None or (session is not None and await api_key_repository.session_has_ended(db, session)):
            raise AccountChanged
        return user

    async def in_force(self, owner: Principal) -> list[ApiKey]:
        """Return the owner's keys in force, newest first."""
        return await api_key_repository.in_force(self.postgres, uuid.UUID(owner.subject))

    async def revoke(self, owner: Principal, key_id: str, client: Client) -> ApiKey:
        """End a key; raises ``ApiKeyNotFound``."""
        async with self.revocations.transaction() as db:
            key = await api_key_repository.revoke(db, key_id, uuid.UUID(owner.subject))
            if key is None:
                raise ApiKeyNotFound(key_id=key_id)
            await self.audit.record(db, "api_key_revoked", subject=owner.subject, client=client, key=key_id)
            await self.revocations.add(db, "api_key", [key_id])
            # Tokens that services got in exchange for it name the key in place of a session.
            await self.revocations.add(db, "session", [key_id])
        return key

    async def rotate(
        self, owner: Principal, key_id: str, lifetime: timedelta, grace: timedelta, client: Client
    ) -> tuple[ApiKey, str]:
        """Give a key another secret; the one before is valid for ``grace``. Raises ``ApiKeyNotFound``."""
        secret, user_id = secrets.token_urlsafe(32), uuid.UUID(owner.subject)
        async with self.revocations.transaction() as db:
            await self._held_owner(db, owner)
            key = await api_key_repository.rotate(db, key_id, user_id, digest(secret), lifetime, grace)
            if key is None:
                raise ApiKeyNotFound(key_id=key_id)
            await self.audit.record(db, "api_key_rotated", subject=owner.subject, client=client, key=key_id)
            if not grace:
                await self.revocations.add(db, "api_key", [key_id])
        return key, f"castor_{key_id}_{secret}"

    async def verify(self, text: str) -> Principal | None:
        """Return the owner with those of the key's scopes that the owner still has; None for an invalid key."""
        with attempt("api_key") as outcome:
            principal = await self._owner(text)
            outcome.result = "invalid_api_key" if principal is None else "ok"
            return principal

    async def _owner(self, text: str) -> Principal | None:
        parts = _KEY.fullmatch(text)
        held = await api_key_repository.by_id(self.postgres, parts[1]) if parts else None
        if parts is None or held is None:
            return None
        presented = digest(parts[2])
        if not any(hmac.compare_digest(stored, presented) for stored in held.secret_hashes):
            return None
        await self._note_use(held.key)
        scopes = frozenset(held.key.scopes) & self.issuer.scopes(held.owner, mfa_used=held.owner.has_second_factor)
        return Principal(
            "api_key", str(held.owner.id), scopes, roles=held.owner.roles, token_id=held.key.id, org=held.owner.org
        )

    async def _note_use(self, key: ApiKey) -> None:
        if key.last_used_at is None or datetime.now(UTC) - key.last_used_at > _USE_NOTED_EVERY:
            await api_key_repository.note_use(self.postgres, key.id, _USE_NOTED_EVERY)


@dataclass
class LocalApiKeys:
    """The ``ApiKeyVerifier`` of this service itself; empty until it has started."""

    keys: ApiKeys | None = None

    async def verify(self, key: str) -> Principal | None:
        """Return whom ``key`` stands for, or None."""
        if self.keys is None:
            raise Unavailable(reason="The service is still starting", retry_after_seconds=1)
        return await self.keys.verify(key)

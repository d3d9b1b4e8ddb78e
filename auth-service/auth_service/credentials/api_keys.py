"""API keys for scripts: ``castor_<id>_<secret>``, shown once, stored hashed."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from auth_service.audit.recorder import Audit, Client
from auth_service.crypto.digests import digest
from auth_service.errors import ApiKeyNotFound, ScopeNotHeld, TooManyApiKeys
from auth_service.metrics import attempt
from auth_service.revocations.service import Revocations
from auth_service.tokens import key_repository as rotation_store
from auth_service.tokens.issuer import TokenMinter
from auth_service.users.repository import ApiKey, AuthStore
from castor_chassis import Principal, Unavailable

_KEY = re.compile(r"castor_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class ApiKeys:
    """Creates, lists, revokes and verifies keys."""

    store: AuthStore
    audit: Audit
    revocations: Revocations
    minter: TokenMinter
    limit: int

    async def create(
        self, owner: Principal, name: str, scopes: Iterable[str], lifetime: timedelta, client: Client
    ) -> tuple[ApiKey, str]:
        """Return a new key and its text, which is not stored.

        Raises ``ScopeNotHeld`` or ``TooManyApiKeys``.
        """
        wanted = sorted(set(scopes))
        lacking = [scope for scope in wanted if scope not in owner.scopes]
        if lacking:
            raise ScopeNotHeld(scopes=" ".join(lacking))
        user_id, key_id, secret = uuid.UUID(owner.subject), secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self.store.transaction() as db:
            await db.lock_user(user_id)
            if len(await db.api_keys(user_id)) >= self.limit:
                raise TooManyApiKeys(limit=self.limit)
            key = await db.insert_api_key(key_id, user_id, name, digest(secret), wanted, lifetime)
            await self.audit.record(db, "api_key_created", subject=owner.subject, client=client, key=key_id)
        return key, f"castor_{key_id}_{secret}"

    async def of(self, owner: Principal) -> list[ApiKey]:
        """Return the owner's keys in force."""
        return await self.store.api_keys(uuid.UUID(owner.subject))

    async def revoke(self, owner: Principal, key_id: str, client: Client) -> ApiKey:
        """End a key; raises ``ApiKeyNotFound``."""
        async with self.revocations.transaction() as db:
            key = await db.revoke_api_key(key_id, uuid.UUID(owner.subject))
            if key is None:
                raise ApiKeyNotFound(key_id=key_id)
            await self.audit.record(db, "api_key_revoked", subject=owner.subject, client=client, key=key_id)
            await self.revocations.add(db, "api_key", [key_id])
        return key

    async def rotate(
        self, owner: Principal, key_id: str, lifetime: timedelta, grace: timedelta, client: Client
    ) -> tuple[ApiKey, str]:
        """Give a key another secret; the one before holds for ``grace``. Raises ``ApiKeyNotFound``."""
        secret, user_id = secrets.token_urlsafe(32), uuid.UUID(owner.subject)
        async with self.revocations.transaction() as db:
            key = await rotation_store.rotate_api_key(db, key_id, user_id, digest(secret), lifetime, grace)
            if key is None:
                raise ApiKeyNotFound(key_id=key_id)
            await self.audit.record(db, "api_key_rotated", subject=owner.subject, client=client, key=key_id)
            if not grace:
                await self.revocations.add(db, "api_key", [key_id])
        return key, f"castor_{key_id}_{secret}"

    async def verify(self, text: str) -> Principal | None:
        """Return whom the key stands for, with those of its scopes that the owner still holds; None for a bad key."""
        with attempt("api_key") as outcome:
            principal = await self._owner(text)
            outcome.result = "invalid_api_key" if principal is None else "ok"
            return principal

    async def _owner(self, text: str) -> Principal | None:
        parts = _KEY.fullmatch(text)
        found = await self.store.api_key_owner(parts[1]) if parts else None
        if parts is None or found is None:
            return None
        stored, key, user = found
        presented = digest(parts[2])
        if not any(hmac.compare_digest(one, presented) for one in stored):
            return None
        if key.last_used_at is None or datetime.now(UTC) - key.last_used_at > _USE_NOTED_EVERY:
            await self.store.note_api_key_use(key.id, _USE_NOTED_EVERY)
        scopes = frozenset(key.scopes) & self.minter.scopes(user)
        return Principal("api_key", str(user.id), scopes, roles=user.roles, token_id=key.id)


@dataclass
class LocalApiKeys:
    """The ``ApiKeyVerifier`` of this service itself; empty until it has started."""

    keys: ApiKeys | None = None

    async def verify(self, key: str) -> Principal | None:
        """Return whom ``key`` stands for, or None."""
        if self.keys is None:
            raise Unavailable(reason="The service is still starting", retry_after_seconds=1)
        return await self.keys.verify(key)

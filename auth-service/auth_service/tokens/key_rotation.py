"""Rotation of the signing keys: by schedule under a lease, by command, and at once when one has leaked.

The next key is published long enough before it signs that every cache of the key set has it. The former ones verify
until the last token that they signed has expired.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from auth_service.audit.recorder import Audit
from auth_service.revocations.service import Revocations
from auth_service.tokens import key_repository as rotation_store
from auth_service.tokens.signing_keys import Offload, new_private_pem
from auth_service.users.repository import AuthStore

log = structlog.get_logger("auth.rotation")
_LOOK_SECONDS = 60
_KEPT = timedelta(days=30)
_LEEWAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RotationTimes:
    """How long things last."""

    signs: timedelta
    """A key signs for so long."""
    ahead: timedelta
    """It is published for so long before."""
    token: timedelta
    """The longest life of a token."""


@dataclass(frozen=True)
class Rotation:
    """Replaces the signing key."""

    store: AuthStore
    offload: Offload
    audit: Audit
    revocations: Revocations
    times: RotationTimes

    async def rotate(self) -> str:
        """Publish the next key and say when the others end; return its kid. Does nothing while one is pending."""
        async with self.store.transaction() as db:
            await db.lock_signing_keys()
            pending = await rotation_store.pending_signing_key(db)
            if pending is not None:
                return pending
            kid = await self._insert(db, self.times.ahead)
            after = self.times.ahead + self.times.token + _LEEWAY
            former = await rotation_store.retire_signing_keys(db, kid, after)
            await self.audit.record(db, "signing_key_rotated", subject=None, key=kid, former=former)
            await rotation_store.delete_retired_signing_keys(db, _KEPT)
        log.info("signing_key_rotated", kid=kid, signs_in_seconds=self.times.ahead.total_seconds())
        return kid

    async def replace_leaked(self) -> str:
        """Sign with a new key at once and refuse, everywhere within a second, whatever another signed; its kid."""
        async with self.store.transaction() as db:
            await db.lock_signing_keys()
            kid = await self._insert(db, timedelta(0))
            former = await rotation_store.retire_signing_keys(db, kid, timedelta(0))
            await self.audit.record(db, "signing_key_leaked", subject=None, key=kid, former=former)
            await self.revocations.add(db, "signing_key", former)
        log.warning("signing_keys_replaced", kid=kid, former=former)
        return kid

    async def _insert(self, db: AuthStore, ahead: timedelta) -> str:
        kid = secrets.token_urlsafe(12)
        sealed = self.audit.vault.seal(kid, await self.offload(new_private_pem))
        await rotation_store.insert_next_signing_key(db, kid, sealed, ahead)
        return kid

    async def keep(self) -> None:
        """Rotate whenever it is due, for ever."""
        while True:
            if await rotation_store.signing_key_is_due(self.store, self.times.signs - self.times.ahead):
                await self.rotate()
            await asyncio.sleep(_LOOK_SECONDS)

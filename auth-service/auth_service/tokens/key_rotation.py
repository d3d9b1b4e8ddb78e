"""Rotation of the signing keys: by schedule under a lease, by command, and at once when one has leaked.

The next key is published long enough before it signs that every cache of the key set has it. The former ones verify
until the last token that they signed has expired.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from auth_service.audit.recorder import Audit
from auth_service.crypto.vault import Vault
from auth_service.revocations.service import Revocations
from auth_service.tokens import key_repository
from auth_service.tokens.signing_keys import Offload, new_private_pem
from castor_chassis import Postgres

log = structlog.get_logger("castor.auth.rotation")
_KEPT = timedelta(days=30)
_LEEWAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RotationTimes:
    """When keys are replaced."""

    signs: timedelta
    """How long a key signs."""
    ahead: timedelta
    """How long it is published before it signs."""
    token: timedelta
    """The longest life of a token."""


@dataclass(frozen=True)
class KeyRotation:
    """Replaces the signing key."""

    postgres: Postgres
    vault: Vault
    offload: Offload
    audit: Audit
    revocations: Revocations
    times: RotationTimes

    async def rotate(self) -> str:
        """Publish the next key, set when the others retire, and return its kid. Does nothing while one is pending."""
        async with self.postgres.transaction() as db:
            await key_repository.lock(db)
            pending = await key_repository.pending(db)
            if pending is not None:
                return pending
            kid = await self._insert(db, self.times.ahead)
            after = self.times.ahead + self.times.token + _LEEWAY
            former = await key_repository.retire_all_but(db, kid, after)
            await self.audit.record(db, "signing_key_rotated", subject=None, key=kid, former=former)
            await key_repository.delete_retired(db, _KEPT)
        log.info("signing_key_rotated", kid=kid, signs_in_seconds=self.times.ahead.total_seconds())
        return kid

    async def replace_leaked(self) -> str:
        """Replace all keys by a new one that signs at once, and return its kid.

        Every service refuses what the other keys signed within a second.
        """
        async with self.postgres.transaction() as db:
            await key_repository.lock(db)
            kid = await self._insert(db, timedelta(0))
            former = await key_repository.delete_all_but(db, kid)
            await self.audit.record(db, "signing_key_leaked", subject=None, key=kid, former=former)
            await self.revocations.add(db, "signing_key", former)
        log.warning("signing_keys_replaced", kid=kid, former=former)
        return kid

    async def _insert(self, db: asyncpg.Connection, ahead: timedelta) -> str:
        kid = secrets.token_urlsafe(12)
        sealed = self.vault.seal(kid, await self.offload(new_private_pem))
        await key_repository.insert(db, kid, sealed, ahead)
        return kid

    async def rotate_if_due(self) -> None:
        """Rotate when the present key has signed for long enough."""
        if await key_repository.is_due(self.postgres, self.times.signs - self.times.ahead):
            await self.rotate()

"""The first administrator, made from the settings."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from auth_service.audit.recorder import Audit
from auth_service.crypto.passwords import Passwords
from auth_service.users import repository as users
from auth_service.users.model import Profile, normal_email
from auth_service.users.roles import Role
from castor_chassis import Postgres

log = structlog.get_logger("castor.auth.accounts")


@dataclass(frozen=True)
class FirstAdministrator:
    """Makes the account of the first administrator."""

    postgres: Postgres
    passwords: Passwords
    audit: Audit

    async def ensure(self, email: str, password: str) -> None:
        """Make the account, unless there is or ever was an administrator; an existing account is left as it is."""
        email = normal_email(email)
        if not await users.administrator_was_made(self.postgres):
            await self._make(email, await self.passwords.hash(password))
        user = await users.by_email(self.postgres, email)
        if user is None or Role.ADMIN not in user.roles:
            log.warning("bootstrap_account_is_no_administrator", user_id=str(user.id) if user else None)

    async def _make(self, email: str, password_hash: str) -> None:
        async with self.postgres.transaction() as db:
            await users.lock_administrators(db)
            if await users.administrator_was_made(db):
                return
            user = await users.insert(db, email, password_hash, [Role.ADMIN], Profile())
            if user is not None:
                await self.audit.record(db, "administrator_created", subject=str(user.id))

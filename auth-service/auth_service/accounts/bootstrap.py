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

log = structlog.get_logger("auth.accounts")


@dataclass(frozen=True)
class FirstAdministrator:
    """Makes the account of the first administrator."""

    postgres: Postgres
    passwords: Passwords
    audit: Audit

    async def ensure(self, email: str, password: str) -> None:
        """Make the account unless the address has one; an existing account is left as it is."""
        email = normal_email(email)
        user = await users.by_email(self.postgres, email)
        if user is None:
            password_hash = await self.passwords.hash(password)
            async with self.postgres.transaction() as db:
                user = await users.insert(db, email, password_hash, [Role.ADMIN], Profile())
                if user is not None:
                    await self.audit.record(db, "administrator_created", subject=str(user.id))
        if user is not None and Role.ADMIN not in user.roles:
            log.warning("bootstrap_account_is_no_administrator", user_id=str(user.id))

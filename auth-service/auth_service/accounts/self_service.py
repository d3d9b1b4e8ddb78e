"""What people do with their own account. Whatever touches how one logs in asks for the password once more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_service.accounts import registration_repository as account_store
from auth_service.accounts.login import Accounts, normal_email
from auth_service.audit.recorder import Client
from auth_service.errors import LastAdministrator, UserNotFound, WrongPassword
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.sessions.service import TokenPair
from auth_service.users.repository import AuthStore, User


@dataclass(frozen=True)
class Profile:
    """Changes, closes and erases one's own account."""

    accounts: Accounts
    outbox: Outbox

    async def prove(self, user_id: str, password: str, client: Client) -> User:
        """Return the account once its password was given again; raises ``WrongPassword`` or ``RateLimited``."""
        accounts = self.accounts
        user = await accounts.user(user_id)
        with attempt("reauthentication"):
            admission = await accounts.limits.login(user.email, client)
            if not await accounts.passwords.matches(user.password_hash, password):
                await accounts.audit.record(accounts.store, "reauthentication_failed", subject=user_id, client=client)
                raise WrongPassword
            await accounts.limits.succeeded(admission)
        return user

    async def update(self, user_id: str, changes: Mapping[str, Any], client: Client) -> User:
        """Change fields of ``PROFILE``; None clears one. Raises ``UserNotFound``."""
        async with self.accounts.store.transaction() as db:
            user = await account_store.update_profile(db, uuid.UUID(user_id), changes)
            if user is None:
                raise UserNotFound(user_id=user_id)
            fields = sorted(changes)
            await self.accounts.audit.record(db, "profile_changed", subject=user_id, client=client, fields=fields)
        return user

    async def change_password(self, user_id: str, old: str, new: str, client: Client) -> tuple[User, TokenPair]:
        """Set another password, end all sessions, and begin a new one.

        Raises ``WrongPassword``, ``WeakPassword`` or ``RateLimited``.
        """
        user, accounts = await self.prove(user_id, old, client), self.accounts
        password_hash = await accounts.new_hash(new, user)
        async with accounts.sessions.revocations.transaction() as db:
            await account_store.set_password(db, user.id, password_hash)
            await self.outbox.append(db, "password_changed", user.email)
            await accounts.audit.record(db, "password_changed", subject=user_id, client=client)
            await accounts.sessions.end_within(db, user_id, "password_changed", client)
        return await accounts.enter(user, client)

    async def ask_email(self, user_id: str, password: str, email: str, client: Client) -> None:
        """Send a token to another address, and word of it to the present one; raises ``WrongPassword``."""
        user, email = await self.prove(user_id, password, client), normal_email(email)
        await self.accounts.limits.recovery(email, client)
        async with self.accounts.store.transaction() as db:
            await self.outbox.append(db, "email_change", email, of=user.email)
            await self.accounts.audit.record(db, "email_change_asked", subject=user_id, client=client)

    async def close(self, user_id: str, password: str, client: Client) -> None:
        """Deactivate the account: nobody can log in until an administrator opens it again."""
        await self.prove(user_id, password, client)
        async with self.accounts.sessions.revocations.transaction() as db:
            await keep_an_administrator(db, uuid.UUID(user_id))
            await account_store.set_active(db, uuid.UUID(user_id), False, "by its owner")
            await self.accounts.sessions.end_within(db, user_id, "deactivated", client)

    async def erase(self, user_id: str, password: str, client: Client) -> None:
        """Erase the account and all personal data."""
        await self.prove(user_id, password, client)
        await erase(self.accounts, user_id, client)


async def erase(accounts: Accounts, user_id: str, client: Client, **details: Any) -> None:
    """Delete an account with its sessions, keys, tokens and codes; raises ``UserNotFound`` or ``LastAdministrator``.

    What stays is the audit log, which knows the account by an id alone.
    """
    async with accounts.sessions.revocations.transaction() as db:
        await keep_an_administrator(db, uuid.UUID(user_id))
        await accounts.audit.record(db, "account_erased", subject=user_id, client=client, **details)
        await accounts.sessions.end_within(db, user_id, "erased", client)
        if not await account_store.delete_user(db, uuid.UUID(user_id)):
            raise UserNotFound(user_id=user_id)


async def keep_an_administrator(db: AuthStore, user_id: uuid.UUID) -> None:
    """Raise ``LastAdministrator`` when nobody else could administer; a non-administrator may always go."""
    user = await db.user(user_id)
    if (
        user is not None
        and user.is_active
        and "admin" in user.roles
        and not await account_store.other_administrators(db, user_id)
    ):
        raise LastAdministrator

"""What administrators do with the accounts of others. They never see or choose a password."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.accounts import registration_repository as account_store
from auth_service.accounts.login import Accounts
from auth_service.accounts.registration_repository import Search
from auth_service.accounts.self_service import erase, keep_an_administrator
from auth_service.audit.recorder import Client
from auth_service.errors import UserNotFound
from auth_service.mail.outbox import Outbox
from auth_service.users.repository import AuthStore, User

# No hash has this form, so no password matches until the owner has set one.
_NO_PASSWORD = "!"


@dataclass(frozen=True)
class Administration:
    """Lists, changes, suspends and erases accounts; every act names who did it in the audit log."""

    accounts: Accounts
    outbox: Outbox

    async def search(self, wanted: Search, limit: int) -> list[User]:
        """Return accounts, newest first."""
        return await account_store.search(self.accounts.store, wanted, limit)

    async def set_roles(self, by: str, user_id: str, roles: Sequence[str], client: Client) -> User:
        """Give other roles; sessions end, so that no token with the former ones is accepted any more."""
        new = list(dict.fromkeys(roles))
        async with self.accounts.sessions.revocations.transaction() as db:
            if "admin" not in new:
                await keep_an_administrator(db, uuid.UUID(user_id))
            user = _found(await account_store.set_roles(db, uuid.UUID(user_id), new), user_id)
            await self.accounts.audit.record(db, "roles_set", subject=user_id, client=client, by=by, roles=new)
            await self.accounts.sessions.end_within(db, user_id, "roles_changed", client)
        return user

    async def suspend(self, by: str, user_id: str, reason: str, client: Client) -> User:
        """Close an account, end its sessions, and tell its owner."""
        async with self.accounts.sessions.revocations.transaction() as db:
            await keep_an_administrator(db, uuid.UUID(user_id))
            user = _found(await account_store.set_active(db, uuid.UUID(user_id), False, reason), user_id)
            await self.outbox.append(db, "account_suspended", user.email)
            await self._end(db, by, user_id, "suspended", client)
        return user

    async def reactivate(self, by: str, user_id: str, client: Client) -> User:
        """Open a closed account again."""
        async with self.accounts.store.transaction() as db:
            user = _found(await account_store.set_active(db, uuid.UUID(user_id), True), user_id)
            await self.accounts.audit.record(db, "reactivated", subject=user_id, client=client, by=by)
        return user

    async def reset_password(self, by: str, user_id: str, client: Client) -> User:
        """Void the password, end all sessions, and send the owner a token to set another."""
        async with self.accounts.sessions.revocations.transaction() as db:
            user = _found(await db.user(uuid.UUID(user_id)), user_id)
            await account_store.set_password(db, user.id, _NO_PASSWORD)
            await self.outbox.append(db, "password_reset", user.email)
            await self._end(db, by, user_id, "password_voided", client)
        return user

    async def end_sessions(self, by: str, user_id: str, client: Client) -> User:
        """End all sessions of a user."""
        async with self.accounts.sessions.revocations.transaction() as db:
            user = _found(await db.user(uuid.UUID(user_id)), user_id)
            await self._end(db, by, user_id, "sessions_ended", client)
        return user

    async def erase(self, by: str, user_id: str, client: Client) -> None:
        """Erase an account and all personal data; raises ``UserNotFound`` or ``LastAdministrator``."""
        await erase(self.accounts, user_id, client, by=by)

    async def _end(self, db: AuthStore, by: str, user_id: str, event: str, client: Client) -> None:
        await self.accounts.audit.record(db, f"{event}_by_administrator", subject=user_id, client=client, by=by)
        await self.accounts.sessions.end_within(db, user_id, event, client)


def _found(user: User | None, user_id: str) -> User:
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user

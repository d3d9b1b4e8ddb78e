"""What people do with their own account. Changes of how one logs in ask for the password once more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChanges
from auth_service.accounts.login import Login
from auth_service.credentials.model import AlsoEnded, Remaining
from auth_service.crypto.passwords import Passwords
from auth_service.errors import UserNotFound
from auth_service.sessions.service import PASSWORD, TokenPair
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import User


@dataclass(frozen=True)
class SelfService:
    """Changes, closes and erases the caller's own account."""

    login: Login
    passwords: Passwords
    changes: AccountChanges

    async def update(self, user_id: str, fields: Mapping[str, str | bool | None], client: Client) -> User:
        """Change fields of ``Profile``; None clears one. Raises ``UserNotFound``."""
        async with self.changes.begin(user_id, client) as change:
            user = await users.set_profile(change.db, uuid.UUID(user_id), fields)
            if user is None:
                raise UserNotFound(user_id=user_id)
            await change.record("profile_changed", fields=sorted(fields))
        return user

    async def change_password(
        self, user_id: str, old: str, new: str, client: Client, also: AlsoEnded
    ) -> tuple[User, TokenPair, Remaining]:
        """Set another password, end all sessions and what else is asked; begin a new session.

        Returns what opens the account beside the password. Raises ``WrongPassword``, ``WeakPassword``,
        ``TooManyAttempts``, ``RateLimited`` or ``OutboxFull``.
        """
        user = await self.login.reauthenticate(user_id, old, client)
        password_hash = await self.passwords.new_hash(new, user.email, [user.first_name, user.last_name])
        async with self.changes.begin(user_id, client, read=user) as change:
            remaining = await change.replace_password(user, password_hash, also)
            await change.record("password_changed")
            await change.end_sessions("password_changed")
            session = await change.begin_session(user, PASSWORD)
        return *await self.login.entered(user, session, client), remaining

    async def close(self, user_id: str, password: str, client: Client) -> None:
        """Deactivate the account: nobody can log in until an administrator opens it again.

        Raises ``WrongPassword``, ``LastAdministrator``, ``TooManyAttempts`` or ``RateLimited``.
        """
        user = await self.login.reauthenticate(user_id, password, client)
        async with self.changes.begin(user_id, client, read=user) as change:
            await change.require_other_administrator()
            await users.set_active(change.db, uuid.UUID(user_id), False, "by its owner")
            await change.end_sessions("deactivated")

    async def erase(self, user_id: str, password: str, client: Client) -> None:
        """Erase the account and all personal data.

        Raises ``WrongPassword``, ``LastAdministrator``, ``TooManyAttempts`` or ``RateLimited``.
        """
        user = await self.login.reauthenticate(user_id, password, client)
        async with self.changes.begin(user_id, client, read=user) as change:
            await change.erase()

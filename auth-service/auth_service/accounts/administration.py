"""What administrators do with the accounts of others. They never see or choose a password."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChange, AccountChanges
from auth_service.errors import UserNotFound
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Actor, User
from auth_service.users.roles import Role

# No hash has this form, so no password matches until the owner has set one.
_NO_PASSWORD = "!"


@dataclass(frozen=True)
class Administration:
    """Changes, suspends and erases accounts; ``by`` is the administrator, whom the audit log names.

    Every method raises ``UserNotFound``, for an account of another organisation than theirs as well.
    """

    changes: AccountChanges

    async def set_roles(self, by: Actor, user_id: str, roles: Sequence[str], client: Client) -> User:
        """Give other roles and end all sessions, so that no token with the former roles is accepted any more.

        A mail tells the owner. Raises ``LastAdministrator`` or ``OutboxFull``.
        """
        new = list(dict.fromkeys(roles))
        async with self.changes.begin(user_id, client, acting=by) as change:
            if Role.ADMIN not in new:
                await change.require_other_administrator()
            user = _found(await users.set_roles(change.db, uuid.UUID(user_id), new), user_id)
            await change.record("roles_set", roles=new)
            await change.mail("roles_changed", user.email)
            await change.end_sessions("roles_changed")
        return user

    async def suspend(self, by: Actor, user_id: str, reason: str, client: Client) -> User:
        """Close an account, end its sessions, and tell its owner if possible; raises ``LastAdministrator``."""
        async with self.changes.begin(user_id, client, acting=by) as change:
            await change.require_other_administrator()
            user = _found(await users.set_active(change.db, uuid.UUID(user_id), False, reason), user_id)
            await change.mail_if_possible("account_suspended", user.email)
            await _end_sessions(change, "suspended")
        return user

    async def reactivate(self, by: Actor, user_id: str, client: Client) -> User:
        """Open a closed account again."""
        async with self.changes.begin(user_id, client, acting=by) as change:
            user = _found(await users.set_active(change.db, uuid.UUID(user_id), True), user_id)
            await change.record("reactivated")
        return user

    async def reset_password(self, by: Actor, user_id: str, client: Client) -> User:
        """Void the password, delete passkeys, end all sessions, and mail the owner a token to set another password.

        Raises ``OutboxFull``.
        """
        async with self.changes.begin(user_id, client, acting=by) as change:
            user = _found(await users.by_id(change.db, uuid.UUID(user_id)), user_id)
            await change.set_password(user, _NO_PASSWORD)
            await change.remove_passkeys(user)
            await change.mail("password_reset", user.email)
            await _end_sessions(change, "password_voided")
        return user

    async def end_sessions(self, by: Actor, user_id: str, client: Client) -> User:
        """End all sessions of a user."""
        async with self.changes.begin(user_id, client, acting=by) as change:
            user = _found(await users.by_id(change.db, uuid.UUID(user_id)), user_id)
            await _end_sessions(change, "sessions_ended")
        return user

    async def erase(self, by: Actor, user_id: str, client: Client) -> None:
        """Erase an account and all personal data; raises ``LastAdministrator``."""
        async with self.changes.begin(user_id, client, acting=by) as change:
            await change.erase()


async def _end_sessions(change: AccountChange, event: str) -> None:
    await change.record(f"{event}_by_administrator")
    await change.end_sessions(event)


def _found(user: User | None, user_id: str) -> User:
    if user is None:
        raise UserNotFound(user_id=user_id)
    return user

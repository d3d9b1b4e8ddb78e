"""Another address for an account, once a one-time token has shown that it belongs to the owner."""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.accounts import one_time_token_repository
from auth_service.accounts.changes import AccountChanges
from auth_service.accounts.login import Login
from auth_service.crypto.digests import digest
from auth_service.errors import InvalidOneTimeToken
from auth_service.throttling.attempt_limits import AttemptLimits
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import normal_email
from castor_chassis import Postgres


@dataclass(frozen=True)
class EmailChange:
    """Changes the address of the caller's own account."""

    postgres: Postgres
    login: Login
    limits: AttemptLimits
    changes: AccountChanges

    async def ask(self, user_id: str, password: str, email: str, client: Client) -> None:
        """Have a token mailed to another address, and a notice to the present one.

        Raises ``WrongPassword``, ``TooManyAttempts``, ``RateLimited`` or ``OutboxFull``.
        """
        user, email = await self.login.reauthenticate(user_id, password, client), normal_email(email)
        await self.limits.message(email, client)
        async with self.changes.begin(user_id, client, read=user) as change:
            # Two entries: a new address that the mail server refuses must not have the notice sent again and again.
            await change.mail("email_change_asked", user.email)
            await change.mail("email_change", email, of=user.email)
            await change.record("email_change_asked")

    async def confirm(self, token: str, client: Client) -> None:
        """Give the account the address that the token was sent to; raises ``InvalidOneTimeToken`` or ``RateLimited``.

        Access tokens hold the address, so all sessions end.
        """
        await self.limits.registration(client)
        held = await one_time_token_repository.by_hash(self.postgres, digest(token), "email_change")
        if held is None:
            raise InvalidOneTimeToken
        async with self.changes.begin(str(held.user.id), client, read=held.user) as change:
            taken = await one_time_token_repository.take(change.db, digest(token))
            if not taken or not await users.set_email(change.db, held.user.id, held.email):
                raise InvalidOneTimeToken
            await change.mail("email_changed", held.user.email)
            await change.end_sessions("email_changed")

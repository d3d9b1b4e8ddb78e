"""Reset of a forgotten password with a one-time token that is mailed to the account's address."""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.accounts import one_time_token_repository
from auth_service.accounts.changes import AccountChanges
from auth_service.audit.summaries import Summaries
from auth_service.credentials.model import AlsoEnded, Remaining
from auth_service.crypto.digests import digest
from auth_service.crypto.passwords import Passwords
from auth_service.crypto.vault import Vault
from auth_service.errors import InvalidOneTimeToken
from auth_service.metrics import attempt
from auth_service.throttling.attempt_limits import AttemptLimits
from auth_service.users.client import Client
from auth_service.users.model import normal_email
from castor_chassis import Postgres


@dataclass(frozen=True)
class PasswordReset:
    """Resets forgotten passwords."""

    postgres: Postgres
    passwords: Passwords
    limits: AttemptLimits
    vault: Vault
    changes: AccountChanges
    summaries: Summaries

    async def ask(self, email: str, client: Client) -> None:
        """Have a token mailed to ``email`` if it has an active account; raises ``RateLimited`` or ``OutboxFull``.

        The request does the same for every address; whether there is an account is looked up when the mail is sent.
        """
        email = normal_email(email)
        await self.limits.message(email, client)
        async with self.changes.begin(None, client) as change:
            await change.mail_to_anybody("password_reset", email)
            account = self.vault.blind(email)
            await self.summaries.record(change.db, "password_reset_asked", subject=None, client=client, account=account)

    async def reset(self, token: str, password: str, client: Client, also: AlsoEnded) -> Remaining:
        """Set another password, end all sessions and what else is asked; return what opens the account beside it.

        No session begins, so MFA is not bypassed.

        Raises ``RateLimited``, ``InvalidOneTimeToken``, ``AccountChanged``, or ``WeakPassword``, after which the token
        is still valid.
        """
        with attempt("password_reset"):
            await self.limits.registration(client)
            held = await one_time_token_repository.by_hash(self.postgres, digest(token), "password_reset")
            if held is None:
                raise InvalidOneTimeToken
            user = held.user
            password_hash = await self.passwords.new_hash(password, user.email, [user.first_name, user.last_name])
            async with self.changes.begin(str(user.id), client, read=user) as change:
                if not await one_time_token_repository.take(change.db, digest(token)):
                    raise InvalidOneTimeToken
                remaining = await change.replace_password(user, password_hash, also)
                await change.record("password_reset")
                await change.end_sessions("password_reset")
            await self.limits.remember_device(user.email, client)
            return remaining

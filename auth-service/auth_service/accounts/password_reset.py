"""A forgotten password, and another address: both by a one-time token that is sent to the address."""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.accounts import registration_repository as account_store
from auth_service.accounts.login import Accounts, normal_email
from auth_service.audit.recorder import Client
from auth_service.crypto.digests import digest
from auth_service.errors import InvalidOneTimeToken
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.users.repository import User


@dataclass(frozen=True)
class Recovery:
    """Gives accounts back to their owners."""

    accounts: Accounts
    outbox: Outbox

    async def ask(self, email: str, client: Client) -> None:
        """Send a token to ``email`` if it has an active account; raises ``RateLimited``.

        The request does the same for every address; whether there is an account is found out when it is sent.
        """
        email = normal_email(email)
        await self.accounts.limits.recovery(email, client)
        async with self.accounts.store.transaction() as db:
            await self.outbox.append(db, "password_reset", email)
            account = self.accounts.audit.vault.blind(email)
            await self.accounts.audit.record(db, "password_reset_asked", subject=None, client=client, account=account)

    async def reset(self, token: str, password: str, client: Client) -> None:
        """Set another password and end all sessions; it logs nobody in, so a second factor is not bypassed.

        Raises ``InvalidOneTimeToken``, or ``WeakPassword``, after which the token still holds.
        """
        with attempt("password_reset"):
            accounts = self.accounts
            await accounts.limits.registration(client)
            user, _ = await self._owner(token, "password_reset")
            password_hash = await accounts.new_hash(password, user)
            async with accounts.sessions.revocations.transaction() as db:
                if not await account_store.take_token(db, digest(token)):
                    raise InvalidOneTimeToken
                await account_store.set_password(db, user.id, password_hash)
                await self.outbox.append(db, "password_changed", user.email)
                await accounts.audit.record(db, "password_reset", subject=str(user.id), client=client)
                await accounts.sessions.end_within(db, str(user.id), "password_reset", client)
            await accounts.limits.welcome(user.email, client)

    async def change_email(self, token: str, client: Client) -> None:
        """Give the account the address that the token was sent to; raises ``InvalidOneTimeToken``."""
        accounts = self.accounts
        await accounts.limits.registration(client)
        user, email = await self._owner(token, "email_change")
        async with accounts.sessions.revocations.transaction() as db:
            if not (
                await account_store.take_token(db, digest(token)) and await account_store.set_email(db, user.id, email)
            ):
                raise InvalidOneTimeToken
            await self.outbox.append(db, "email_changed", user.email)
            # Tokens carry the address, so all sessions end.
            await accounts.sessions.end_within(db, str(user.id), "email_changed", client)

    async def _owner(self, token: str, purpose: str) -> tuple[User, str]:
        held = await account_store.token_owner(self.accounts.store, digest(token), purpose)
        if held is None:
            raise InvalidOneTimeToken
        return held

"""Registration: how people get an account.

``verified`` (the default): the response is the same for a new and a taken address; the account is made when the token
that was mailed to the address is presented together with the password that was chosen. The password is needed because
whoever receives an unexpected mail could otherwise be made to open an account with somebody else's password.
``open``: an account and a session at once, which reveals whether an address has an account; for closed networks.
``closed``: nobody can register.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from auth_service.accounts import registration_repository
from auth_service.accounts.changes import AccountChange, AccountChanges
from auth_service.accounts.registration_repository import PendingRegistration
from auth_service.audit.summaries import Summaries
from auth_service.crypto.digests import digest
from auth_service.crypto.passwords import Passwords
from auth_service.crypto.vault import Vault
from auth_service.errors import EmailTaken, InvalidOneTimeToken, RegistrationClosed
from auth_service.metrics import attempt
from auth_service.sessions.service import PASSWORD, OpenSession, Sessions, TokenPair
from auth_service.throttling.attempt_limits import AttemptLimits
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Profile, User, normal_email
from auth_service.users.roles import Role
from castor_chassis import Postgres

Mode = Literal["verified", "open", "closed"]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What somebody registers with."""

    email: str
    password: str
    profile: Profile


@dataclass(frozen=True)
class Registration:
    """Makes accounts."""

    postgres: Postgres
    passwords: Passwords
    limits: AttemptLimits
    vault: Vault
    sessions: Sessions
    changes: AccountChanges
    summaries: Summaries
    mode: Mode
    role: Role
    lifetime: timedelta
    """How long a registration may be confirmed."""

    async def register(self, new: NewAccount, client: Client) -> tuple[User, TokenPair] | None:
        """Return the account and a session, or None when the address has to be verified first.

        Raises ``WeakPassword``, ``RateLimited``, ``RegistrationClosed``, ``OutboxFull``, in open mode ``EmailTaken``.
        """
        with attempt("register"):
            if self.mode == "verified":
                await self.limits.message(normal_email(new.email), client)
            else:
                await self.limits.registration(client)
            if self.mode == "closed":
                raise RegistrationClosed
            names = [new.profile.first_name, new.profile.last_name]
            password_hash = await self.passwords.new_hash(new.password, new.email, names)
            if self.mode == "open":
                return await self._open(new, password_hash, client)
            await self._ask_for_confirmation(new, password_hash, client)
            return None

    async def _open(self, new: NewAccount, password_hash: str, client: Client) -> tuple[User, TokenPair]:
        async with self.changes.begin(None, client) as change:
            email = normal_email(new.email)
            user = await users.insert(change.db, email, password_hash, [self.role], new.profile)
            if user is None:
                raise EmailTaken
            session = await _first_session(change, user)
        return await self._entered(user, session, client)

    async def _ask_for_confirmation(self, new: NewAccount, password_hash: str, client: Client) -> None:
        # The same statements for every address: whether it is taken is looked up when the mail is sent.
        email, token = normal_email(new.email), secrets.token_urlsafe(32)
        pending = PendingRegistration(email, password_hash, [self.role], new.profile)
        async with self.changes.begin(None, client) as change:
            await registration_repository.insert(change.db, digest(token), pending, self.lifetime)
            await change.mail_to_anybody("registration", email, token=token)
            account = self.vault.blind(email)
            await self.summaries.record(change.db, "register_asked", subject=None, client=client, account=account)

    async def confirm(self, token: str, password: str, client: Client) -> tuple[User, TokenPair]:
        """Make the account that was registered, and begin a session.

        Raises ``InvalidOneTimeToken`` or ``RateLimited``.
        """
        with attempt("register_confirm"):
            await self.limits.registration(client)
            pending = await registration_repository.by_token(self.postgres, digest(token))
            right = await self.passwords.matches(pending.password_hash if pending else None, password)
            if pending is None or not right:
                raise InvalidOneTimeToken
            async with self.changes.begin(None, client) as change:
                user = await self._make(change, digest(token), pending)
                session = await _first_session(change, user)
            return await self._entered(user, session, client)

    @staticmethod
    async def _make(change: AccountChange, token_hash: bytes, pending: PendingRegistration) -> User:
        if not await registration_repository.take(change.db, token_hash, pending.email):
            raise InvalidOneTimeToken
        account = pending.email, pending.password_hash, pending.roles, pending.profile
        user = await users.insert(change.db, *account, verified=True)
        if user is None:
            raise InvalidOneTimeToken
        return user

    async def _entered(self, user: User, session: OpenSession, client: Client) -> tuple[User, TokenPair]:
        await self.limits.remember_device(user.email, client)
        return user, await self.sessions.pair(user, session)


async def _first_session(change: AccountChange, user: User) -> OpenSession:
    await change.record("register", subject=str(user.id))
    return await change.begin_session(user, PASSWORD)

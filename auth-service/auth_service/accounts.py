"""Accounts: register, log in, look up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog

from auth_service.audit import Audit, Client
from auth_service.errors import EmailTaken, InvalidCredentials, UserNotFound, WeakPassword
from auth_service.limits import AttemptLimits
from auth_service.metrics import attempt
from auth_service.passwords import Passwords, why_weak
from auth_service.roles import Role
from auth_service.sessions import Sessions, TokenPair
from auth_service.store import AuthStore, User

log = structlog.get_logger("auth.accounts")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What someone registers with."""

    email: str
    password: str
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None


def normal_email(email: str) -> str:
    """Return the form in which an address is stored and compared."""
    return email.strip().casefold()


@dataclass(frozen=True)
class Accounts:
    """Who has an account, and who may enter it."""

    store: AuthStore
    passwords: Passwords
    sessions: Sessions
    audit: Audit
    limits: AttemptLimits
    registration_role: Role

    async def register(self, new: NewAccount, client: Client) -> tuple[User, TokenPair]:
        """Make an account and log it in.

        Raises ``WeakPassword`` with the reason, ``EmailTaken``, or ``RateLimited``.
        """
        with attempt("register"):
            await self.limits.registration(client)
            email = normal_email(new.email)
            reason = why_weak(new.password, email)
            if reason is not None:
                raise WeakPassword(reason=reason)
            password_hash = await self.passwords.hash(new.password)
            async with self.store.transaction() as db:
                names = {"first_name": new.first_name, "last_name": new.last_name, "phone": new.phone}
                user = await db.insert_user(email, password_hash, [self.registration_role], **names)
                if user is None:
                    raise EmailTaken
                await self.audit.record(db, "register", subject=str(user.id), client=client)
                token = await self.sessions.begin(db, user, client)
            return user, await self.sessions.pair(user, token)

    async def log_in(self, email: str, password: str, client: Client) -> tuple[User, TokenPair]:
        """Begin a session.

        Raises ``InvalidCredentials`` after equal work whether or not the account exists, or ``RateLimited``.
        """
        with attempt("password"):
            email = normal_email(email)
            await self.limits.login(email, client)
            user = await self.store.user_by_email(email)
            right = await self.passwords.matches(user.password_hash if user else None, password)
            if user is None or not right or not user.is_active:
                await self._refuse(user, email, client)
            assert user is not None
            await self._keep_hash_current(user, password)
            async with self.store.transaction() as db:
                await self.audit.record(db, "login", subject=str(user.id), client=client)
                token = await self.sessions.begin(db, user, client)
            return user, await self.sessions.pair(user, token)

    async def _refuse(self, user: User | None, email: str, client: Client) -> None:
        subject = str(user.id) if user else None
        account = self.audit.vault.blind(email)
        await self.audit.record(self.store, "login_failed", subject=subject, client=client, account=account)
        raise InvalidCredentials

    async def _keep_hash_current(self, user: User, password: str) -> None:
        if self.passwords.outdated(user.password_hash):
            new_hash = await self.passwords.hash(password)
            await self.store.replace_password(user.id, user.password_hash, new_hash)

    async def user(self, user_id: str) -> User:
        """Return an account; raises ``UserNotFound``."""
        user = await self.store.user(uuid.UUID(user_id))
        if user is None:
            raise UserNotFound(user_id=user_id)
        return user

    async def ensure_administrator(self, email: str, password: str) -> None:
        """Make the first administrator unless the address has an account; an existing one is left as it is."""
        email = normal_email(email)
        user = await self.store.user_by_email(email)
        if user is None:
            password_hash = await self.passwords.hash(password)
            async with self.store.transaction() as db:
                user = await db.insert_user(email, password_hash, [Role.ADMIN])
                if user is not None:
                    await self.audit.record(db, "administrator_created", subject=str(user.id))
        if user is not None and Role.ADMIN not in user.roles:
            log.warning("bootstrap_account_is_no_administrator", user_id=str(user.id))

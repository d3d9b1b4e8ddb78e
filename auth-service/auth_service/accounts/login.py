"""Accounts: log in, look up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog

from auth_service.accounts.mfa_challenge import LOGIN_SECONDS, sealed_login
from auth_service.audit.recorder import Audit, Client
from auth_service.crypto.passwords import Passwords
from auth_service.errors import InvalidCredentials, MfaRequired, UserNotFound, WeakPassword
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.sessions.service import Sessions, TokenPair
from auth_service.throttling.attempt_limits import Admission, AttemptLimits
from auth_service.users.repository import AuthStore, User
from auth_service.users.roles import Role

log = structlog.get_logger("auth.accounts")
_WORTH_A_WORD = 3


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What someone registers with."""

    email: str
    password: str
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    campaign_role: str | None = None
    candidate_position: str | None = None
    whatsapp_number: str | None = None
    whatsapp_opt_in: bool = False


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
    outbox: Outbox

    async def log_in(self, email: str, password: str, client: Client) -> tuple[User, TokenPair]:
        """Begin a session.

        Raises ``InvalidCredentials`` after equal work whether or not the account exists, ``MfaRequired`` when the
        password was right and a second factor is to follow, ``TooManyAttempts`` or ``RateLimited``.
        """
        with attempt("password"):
            email = normal_email(email)
            admission = await self.limits.login(email, client)
            user = await self.store.user_by_email(email)
            right = await self.passwords.matches(user.password_hash if user else None, password)
            if user is None or not right or not user.is_active:
                await self._refuse(user, email, client, admission)
            assert user is not None
            await self.limits.succeeded(admission)
            await self._keep_hash_current(user, password)
            if user.mfa_enabled:
                token = sealed_login(self.audit.vault, await self.user(str(user.id)))
                raise MfaRequired(mfa_token=token, methods=["totp", "recovery_code"], expires_in=LOGIN_SECONDS)
            return await self.enter(user, client, failures=admission.failures)

    async def enter(self, user: User, client: Client, *, failures: int = 0) -> tuple[User, TokenPair]:
        """Begin a session of somebody who has proved who he is, and know the device from now on."""
        async with self.store.transaction() as db:
            await self.audit.record(db, "login", subject=str(user.id), client=client)
            if failures >= _WORTH_A_WORD:
                await self.outbox.append(db, "sign_in_after_failures", user.email)
            session = await self.sessions.begin(db, user, client)
        await self.limits.welcome(user.email, client)
        return user, await self.sessions.pair(user, session)

    async def _refuse(self, user: User | None, email: str, client: Client, admission: Admission) -> None:
        subject, account = str(user.id) if user else None, self.audit.vault.blind(email)
        await self.audit.record(self.store, "login_failed", subject=subject, client=client, account=account)
        for kind in await self.limits.failed(admission):
            await self.audit.record(self.store, "stuffing_suspected", subject=None, client=client, kind=kind)
        raise InvalidCredentials

    async def _keep_hash_current(self, user: User, password: str) -> None:
        if self.passwords.outdated(user.password_hash):
            new_hash = await self.passwords.hash(password)
            await self.store.replace_password(user.id, user.password_hash, new_hash)

    async def new_hash(self, password: str, user: User) -> str:
        """Return the hash of another password for an account; raises ``WeakPassword`` with the reason."""
        reason = await self.passwords.why_weak(password, user.email, [user.first_name, user.last_name])
        if reason is not None:
            raise WeakPassword(reason=reason)
        return await self.passwords.hash(password)

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

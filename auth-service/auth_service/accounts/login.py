"""Login with a password, and reauthentication: the password once more, for changes of how one logs in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChange, AccountChanges
from auth_service.accounts.mfa_challenge import CHALLENGE_SECONDS, sealed_challenge
from auth_service.audit.recorder import Audit
from auth_service.audit.summaries import Summaries
from auth_service.crypto.passwords import Passwords
from auth_service.crypto.vault import Vault
from auth_service.errors import InvalidCredentials, MfaRequired, WrongPassword
from auth_service.metrics import attempt
from auth_service.sessions.service import PASSWORD, OpenSession, Sessions, TokenPair
from auth_service.throttling.attempt_limits import Admission, AttemptLimits
from auth_service.users import repository
from auth_service.users.client import Client
from auth_service.users.model import User, normal_email
from auth_service.users.service import Users
from castor_chassis import Postgres

_FAILURES_WORTH_A_MAIL = 3


@dataclass(frozen=True)
class Login:
    """Authenticates people and begins their sessions."""

    postgres: Postgres
    users: Users
    passwords: Passwords
    limits: AttemptLimits
    vault: Vault
    audit: Audit
    sessions: Sessions
    changes: AccountChanges
    summaries: Summaries

    async def log_in(self, email: str, password: str, client: Client) -> tuple[User, TokenPair]:
        """Begin a session; raises what ``authenticate`` raises, or ``AccountChanged``."""
        with attempt("password"):
            user, failures = await self.authenticate(email, password, client)
            return await self.enter(user, client, PASSWORD, failures=failures)

    async def authenticate(self, email: str, password: str, client: Client) -> tuple[User, int]:
        """Return the account of an address and its password, and how many attempts had failed before.

        Raises ``InvalidCredentials`` after equal work whether or not the account exists, ``MfaRequired`` when the
        password was right and an MFA code is to follow, ``TooManyAttempts`` or ``RateLimited``.
        """
        email = normal_email(email)
        admission = await self.limits.login(email, client)
        user = await self.users.by_email(email)
        right = await self.passwords.matches(user.password_hash if user else None, password)
        if user is None or not right or not user.is_active:
            await self._record_failure(user, email, client, admission)
            raise InvalidCredentials
        await self.limits.succeeded(admission)
        await self._renew_hash(user, password)
        if user.mfa_enabled:
            token = sealed_challenge(self.vault, user)
            raise MfaRequired(mfa_token=token, methods=["totp", "recovery_code"], expires_in=CHALLENGE_SECONDS)
        return user, admission.failures

    async def _record_failure(self, user: User | None, email: str, client: Client, admission: Admission) -> None:
        subject, account = str(user.id) if user else None, self.vault.blind(email)
        await self.summaries.record(self.postgres, "login_failed", subject=subject, client=client, account=account)
        for kind in await self.limits.failed(admission):
            await self.summaries.record(self.postgres, "stuffing_suspected", subject=None, client=client, kind=kind)

    async def _renew_hash(self, user: User, password: str) -> None:
        if self.passwords.outdated(user.password_hash):
            new_hash = await self.passwords.hash(password)
            await repository.replace_hash(self.postgres, user.id, user.password_hash, new_hash)

    async def enter(
        self, user: User, client: Client, amr: Sequence[str], *, failures: int = 0
    ) -> tuple[User, TokenPair]:
        """Begin a session of ``user`` as it was read and authenticated, by ``amr``; raises ``AccountChanged``."""
        async with self.entering(user, client, failures=failures) as change:
            session = await change.begin_session(user, amr)
        return user, await self.sessions.pair(user, session)

    @asynccontextmanager
    async def entering(self, user: User, client: Client, *, failures: int = 0) -> AsyncIterator[AccountChange]:
        """Give the change in which what ``user`` logged in for begins, and know the device from now on.

        A mail tells the user of a new device, and of several ``failures`` before the login. Raises ``AccountChanged``.
        """
        known = await self.limits.knows_device(user.email, client)
        async with self.changes.begin(str(user.id), client, read=user) as change:
            await change.record("login")
            if failures >= _FAILURES_WORTH_A_MAIL:
                await change.mail("sign_in_after_failures", user.email)
            if not known:
                await change.mail_if_possible("new_device", user.email)
            yield change
        await self.limits.remember_device(user.email, client)

    async def entered(self, user: User, session: OpenSession, client: Client) -> tuple[User, TokenPair]:
        """Know the device from now on, and return the tokens of a session that began."""
        await self.limits.remember_device(user.email, client)
        return user, await self.sessions.pair(user, session)

    async def reauthenticate(self, user_id: str, password: str, client: Client) -> User:
        """Return the account if ``password`` is its password.

        Raises ``UserNotFound``, ``WrongPassword``, ``TooManyAttempts`` or ``RateLimited``.
        """
        user = await self.users.get(user_id)
        with attempt("reauthentication"):
            admission = await self.limits.login(user.email, client)
            if not await self.passwords.matches(user.password_hash, password):
                await self.audit.record(self.postgres, "reauthentication_failed", subject=user_id, client=client)
                raise WrongPassword
            await self.limits.succeeded(admission)
        return user

"""Multi-factor authentication: time-based one-time passwords and recovery codes.

The key is sealed under the service's secret. A code can be used once: the step it belongs to is stored, and no step at
or before it is accepted again.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChange, AccountChanges
from auth_service.accounts.login import Login
from auth_service.accounts.mfa_challenge import opened_challenge
from auth_service.audit.recorder import Audit
from auth_service.crypto.vault import Vault
from auth_service.errors import FactorConflict, InvalidCode, InvalidMfaToken
from auth_service.metrics import attempt
from auth_service.mfa import repository
from auth_service.mfa.recovery_codes import code_hash, new_codes
from auth_service.mfa.totp import Enrolment, matching_step, new_enrolment
from auth_service.sessions.service import PASSWORD_AND_CODE, AccessToken, TokenPair
from auth_service.throttling.attempt_limits import AttemptLimits
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Actor, User
from auth_service.users.service import Users
from castor_chassis import Postgres, Principal

_NOTHING_TO_CONFIRM = "There is no new key to confirm; make one with POST /v1/auth/me/mfa/totp"


@dataclass(frozen=True, slots=True)
class MfaState:
    """Whether MFA is enabled and required for an account."""

    enabled: bool
    required: bool
    recovery_codes_left: int


@dataclass(frozen=True)
class Mfa:
    """Enables, checks and disables a user's MFA."""

    postgres: Postgres
    users: Users
    login: Login
    limits: AttemptLimits
    vault: Vault
    audit: Audit
    changes: AccountChanges
    required_roles: frozenset[str]

    async def state(self, user_id: str) -> MfaState:
        """Return whether it is enabled and required, and how many recovery codes are left; raises ``UserNotFound``."""
        user = await self.users.get(user_id)
        left = await repository.recovery_codes_left(self.postgres, user.id)
        return MfaState(user.mfa_enabled, not self.required_roles.isdisjoint(user.roles), left)

    async def enrol(self, user: User, client: Client) -> Enrolment:
        """Make a key that is in force once ``confirm`` was given a code of it; raises ``FactorConflict``."""
        if user.mfa_enabled:
            raise FactorConflict(reason="A second factor is active; disable it with POST /v1/auth/me/mfa/disable first")
        enrolment = new_enrolment(user.email)
        async with self.changes.begin(str(user.id), client, read=user) as change:
            await repository.set_key(change.db, user.id, self.vault.seal_text(f"totp {user.id}", enrolment.secret))
            await change.record("mfa_asked")
        return enrolment

    async def confirm(self, owner: Principal, code: str, client: Client) -> tuple[list[str], User, TokenPair]:
        """Put the key in force, end all sessions, and return recovery codes with a new session.

        Raises ``InvalidCode``, ``TooManyAttempts``, ``FactorConflict`` when there is nothing to confirm, or
        ``AccountChanged``, also when the caller's session has ended.
        """
        user = await self.users.get(owner.subject)
        sealed = await repository.sealed_key(self.postgres, user.id)
        key = self._opened(user, sealed)
        if user.mfa_enabled or key is None or sealed is None:
            raise FactorConflict(reason=_NOTHING_TO_CONFIRM)
        bucket = await self.limits.mfa_code(owner.subject)
        step = matching_step(key, code, time.time())
        if step is None:
            raise InvalidCode
        await self.limits.forgive(bucket)
        async with self.changes.begin(owner.subject, client, read=user, session_id=owner.session_id) as change:
            if not await repository.confirm(change.db, user.id, sealed, step):
                raise FactorConflict(reason=_NOTHING_TO_CONFIRM)
            codes = await _replace_codes(change, user)
            await change.mail("mfa_changed", user.email)
            await _end_sessions(change, "mfa_enabled")
            user = await users.by_id(change.db, user.id) or user
            session = await change.begin_session(user, PASSWORD_AND_CODE)
        return codes, *await self.login.entered(user, session, client)

    async def renew_codes(self, user: User, code: str, client: Client) -> list[str]:
        """Return new recovery codes; the old ones are void.

        Raises ``InvalidCode``, ``FactorConflict`` or ``TooManyAttempts``.
        """
        await self._check(user, code)
        async with self.changes.begin(str(user.id), client, read=user) as change:
            codes = await _replace_codes(change, user)
            await change.mail("mfa_changed", user.email)
            await change.record("recovery_codes_renewed")
        return codes

    async def disable(self, user: User, code: str, client: Client) -> None:
        """Remove key and codes, and end all sessions.

        Raises ``InvalidCode``, ``FactorConflict`` or ``TooManyAttempts``.
        """
        await self._check(user, code)
        await self._remove(user, client)

    async def remove_of(self, user_id: str, by: Actor, client: Client) -> None:
        """Remove the MFA of somebody who lost it, passkeys included, by an administrator, whom the audit log names.

        Raises ``UserNotFound``.
        """
        await self._remove(await self.users.get(user_id, within=by.within), client, by)

    async def _remove(self, user: User, client: Client, by: Actor | None = None) -> None:
        async with self.changes.begin(str(user.id), client, read=user, acting=by) as change:
            await repository.remove(change.db, user.id)
            if by is not None:
                await change.remove_passkeys(user)
            await change.mail_if_possible("mfa_changed", user.email)
            await _end_sessions(change, "mfa_disabled")

    async def log_in(self, mfa_token: str, code: str, client: Client) -> tuple[User, TokenPair]:
        """Finish a login that asked for an MFA code; raises what ``second_step`` raises, or ``AccountChanged``."""
        with attempt("mfa"):
            user = await self.second_step(mfa_token, code, client)
            return await self.login.enter(user, client, PASSWORD_AND_CODE)

    async def second_step(self, mfa_token: str, code: str, client: Client) -> User:
        """Return the account whose password was right, if ``code`` is right as well.

        Raises ``InvalidMfaToken``, ``InvalidCode`` or ``TooManyAttempts``.
        """
        user = await self._challenged(mfa_token)
        await self._checked(user, code, client)
        return user

    async def step_up(self, user_id: str, session_id: str, code: str, client: Client) -> AccessToken:
        """Return an access token of the same session that says ``PASSWORD_AND_CODE``.

        Raises ``UserNotFound``, ``InvalidCode``, ``FactorConflict``, ``TooManyAttempts`` or ``SessionNotFound``.
        """
        with attempt("mfa"):
            user = await self.users.get(user_id)
            await self._checked(user, code, client)
            return await self.login.sessions.strengthen(user, session_id, PASSWORD_AND_CODE)

    async def _checked(self, user: User, code: str, client: Client) -> None:
        try:
            await self._check(user, code)
        except InvalidCode:
            await self.audit.record(self.postgres, "second_factor_failed", subject=str(user.id), client=client)
            raise

    async def _challenged(self, mfa_token: str) -> User:
        challenge = opened_challenge(self.vault, mfa_token)
        user = await users.by_id(self.postgres, challenge.user_id) if challenge else None
        if challenge is None or user is None or not user.is_active or not challenge.is_of(user):
            raise InvalidMfaToken
        return user

    async def _check(self, user: User, code: str) -> None:
        key = await self._key(user)
        if not user.mfa_enabled or key is None:
            raise FactorConflict(reason="No second factor is active; begin with POST /v1/auth/me/mfa/totp")
        bucket = await self.limits.mfa_code(str(user.id))
        step = matching_step(key, code, time.time())
        if step is not None:
            valid = await repository.use_step(self.postgres, user.id, step)
        else:
            valid = await repository.use_recovery_code(self.postgres, user.id, code_hash(code))
        if not valid:
            raise InvalidCode
        await self.limits.forgive(bucket)

    async def _key(self, user: User) -> bytes | None:
        return self._opened(user, await repository.sealed_key(self.postgres, user.id))

    def _opened(self, user: User, sealed: bytes | None) -> bytes | None:
        secret = self.vault.unseal_text(f"totp {user.id}", sealed) if sealed is not None else None
        return base64.b32decode(secret) if secret is not None else None


async def _replace_codes(change: AccountChange, user: User) -> list[str]:
    codes = new_codes()
    await repository.replace_recovery_codes(change.db, user.id, [code_hash(code) for code in codes])
    return codes


async def _end_sessions(change: AccountChange, event: str) -> None:
    await change.record(event)
    await change.end_sessions(event)

"""A second factor: time-based one-time passwords (RFC 6238: HMAC-SHA-1, six digits, 30 s) and recovery codes.

The key is sealed under the service's secret. A code opens once: the step it belongs to is stored, and no step at or
before it opens again. The present step and the one before it are accepted, for codes typed at the turn.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from auth_service.accounts.login import Accounts
from auth_service.accounts.mfa_challenge import is_of, opened_login
from auth_service.audit.recorder import Client
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import FactorConflict, InvalidCode, InvalidMfaToken
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.mfa import repository as factor_store
from auth_service.sessions.service import TokenPair
from auth_service.users.repository import AuthStore, User

STEP_SECONDS = 30
_CODES = 10
_ISSUER = "CASTOR"


def code_at(key: bytes, step: int) -> str:
    """Return the six digits of a step (RFC 4226 section 5.3)."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[-1] & 0x0F
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06d}"


def matching_step(key: bytes, code: str, now: float) -> int | None:
    """Return the step that ``code`` belongs to, of the present and the last one, or None."""
    present = int(now) // STEP_SECONDS
    right = [
        step
        for step in (present, max(0, present - 1))
        if hmac.compare_digest(code_at(key, step).encode(), code.encode())
    ]
    return right[0] if right else None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given, once."""

    secret: str
    uri: str


@dataclass(frozen=True)
class SecondFactor:
    """Enrols, checks and removes a user's second factor."""

    accounts: Accounts
    outbox: Outbox
    vault: Vault
    needing_one: frozenset[str]

    async def state(self, user_id: str) -> dict[str, Any]:
        """Return whether it is enabled and required, and how many recovery codes are left."""
        user = await self.accounts.user(user_id)
        left = await factor_store.codes_left(self.accounts.store, user.id)
        required = not self.needing_one.isdisjoint(user.roles)
        return {"enabled": user.mfa_enabled, "required": required, "recovery_codes_left": left}

    async def enrol(self, user: User, client: Client) -> Enrolment:
        """Make a key that counts once ``confirm`` was given a code of it; raises ``FactorConflict``."""
        if user.mfa_enabled:
            raise FactorConflict(reason="A second factor is active; disable it with POST /v1/auth/me/mfa/disable first")
        key = secrets.token_bytes(20)
        text = base64.b32encode(key).decode()
        async with self.accounts.store.transaction() as db:
            await factor_store.set_key(db, user.id, self.vault.seal_text(f"totp {user.id}", text))
            await self.accounts.audit.record(db, "mfa_asked", subject=str(user.id), client=client)
        label = quote(f"{_ISSUER}:{user.email}")
        return Enrolment(text, f"otpauth://totp/{label}?secret={text}&issuer={_ISSUER}&digits=6&period={STEP_SECONDS}")

    async def confirm(self, user_id: str, code: str, client: Client) -> tuple[list[str], User, TokenPair]:
        """Make the key count, end all sessions, and return recovery codes with a new session.

        Raises ``InvalidCode``, ``TooManyAttempts``, or ``FactorConflict`` when there is nothing to confirm.
        """
        user = await self.accounts.user(user_id)
        key = await self._key(user)
        if user.mfa_enabled or key is None:
            raise FactorConflict(reason="There is no new key to confirm; make one with POST /v1/auth/me/mfa/totp")
        bucket = await self.accounts.limits.second_factor(user_id)
        step = matching_step(key, code, time.time())
        if step is None:
            raise InvalidCode
        await self.accounts.limits.forgive(bucket)
        async with self.accounts.sessions.revocations.transaction() as db:
            await factor_store.confirm(db, user.id, step)
            codes = await self._new_codes(db, user.id)
            await self._changed(db, user, "mfa_enabled", client)
        user = await self.accounts.user(user_id)
        return codes, *await self.accounts.enter(user, client)

    async def renew_codes(self, user: User, code: str, client: Client) -> list[str]:
        """Return new recovery codes; the old ones are void. Raises ``InvalidCode`` or ``FactorConflict``."""
        await self._prove(user, code)
        async with self.accounts.store.transaction() as db:
            codes = await self._new_codes(db, user.id)
            await self.outbox.append(db, "mfa_changed", user.email)
            await self.accounts.audit.record(db, "recovery_codes_renewed", subject=str(user.id), client=client)
        return codes

    async def disable(self, user: User, code: str, client: Client) -> None:
        """Remove the second factor and end all sessions; raises ``InvalidCode`` or ``FactorConflict``."""
        await self._prove(user, code)
        await self.remove(user, client)

    async def remove(self, user: User, client: Client, **details: str) -> None:
        """Remove the second factor of somebody who lost it."""
        async with self.accounts.sessions.revocations.transaction() as db:
            await factor_store.remove(db, user.id)
            await self._changed(db, user, "mfa_disabled", client, **details)

    async def _changed(self, db: AuthStore, user: User, event: str, client: Client, **details: str) -> None:
        await self.outbox.append(db, "mfa_changed", user.email)
        await self.accounts.audit.record(db, event, subject=str(user.id), client=client, **details)
        await self.accounts.sessions.end_within(db, str(user.id), event, client)

    async def log_in(self, mfa_token: str, code: str, client: Client) -> tuple[User, TokenPair]:
        """Finish a login that asked for a second factor.

        Raises ``InvalidMfaToken``, ``InvalidCode`` or ``TooManyAttempts``.
        """
        with attempt("second_factor"):
            user = await self._of_token(mfa_token)
            try:
                await self._prove(user, code)
            except InvalidCode:
                await self.accounts.audit.record(
                    self.accounts.store, "second_factor_failed", subject=str(user.id), client=client
                )
                raise
            return await self.accounts.enter(user, client)

    async def _of_token(self, mfa_token: str) -> User:
        claims = opened_login(self.vault, mfa_token)
        user = await self.accounts.store.user(uuid.UUID(claims["sub"])) if claims else None
        if claims is None or user is None or not user.is_active or not is_of(claims, user):
            raise InvalidMfaToken
        return user

    async def _prove(self, user: User, code: str) -> None:
        key = await self._key(user)
        if not user.mfa_enabled or key is None:
            raise FactorConflict(reason="No second factor is active; begin with POST /v1/auth/me/mfa/totp")
        bucket = await self.accounts.limits.second_factor(str(user.id))
        step = matching_step(key, code, time.time())
        if step is not None:
            holds = await factor_store.use_step(self.accounts.store, user.id, step)
        else:
            holds = await factor_store.use_code(self.accounts.store, user.id, digest(_plain(code)))
        if not holds:
            raise InvalidCode
        await self.accounts.limits.forgive(bucket)

    async def _key(self, user: User) -> bytes | None:
        sealed = await factor_store.key(self.accounts.store, user.id)
        text = self.vault.unseal_text(f"totp {user.id}", sealed) if sealed is not None else None
        return base64.b32decode(text) if text is not None else None

    async def _new_codes(self, db: AuthStore, user_id: uuid.UUID) -> list[str]:
        # 120 random bits each, so a plain hash will do (OWASP ASVS 6.5.2).
        codes = [base64.b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(_CODES)]
        await factor_store.replace_codes(db, user_id, [digest(code) for code in codes])
        return ["-".join(code[at : at + 6] for at in range(0, 24, 6)) for code in codes]


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()

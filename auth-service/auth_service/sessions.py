"""Sessions: refresh tokens in families (RFC 9700 section 4.14.2).

A refresh token is used once and names its successor. Used again by the same client within a short
window it yields the same successor, since a lost answer is more likely than a theft; any other second use
ends the whole family, because thief and owner cannot be told apart.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from auth_service.audit import Audit, Client
from auth_service.errors import InvalidRefreshToken
from auth_service.metrics import REFRESH_REPLAYS, attempt
from auth_service.store import AuthStore, HeldRefreshToken, User
from auth_service.tokens import TokenMinter
from auth_service.vault import Vault

log = structlog.get_logger("auth.sessions")
_SWEEP_SECONDS = 3600
_SWEEP_BATCH = 1000


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets for proving who it is."""

    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token ends."""


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long things last."""

    idle: timedelta
    longest: timedelta
    replay_seconds: float


@dataclass(frozen=True)
class Sessions:
    """Begins, refreshes and ends sessions."""

    store: AuthStore
    minter: TokenMinter
    vault: Vault
    audit: Audit
    times: SessionTimes

    async def begin(self, db: AuthStore, user: User) -> str:
        """Store a new family and return its first refresh token."""
        family_id = await db.insert_family(user.id, self.times.longest)
        token = secrets.token_urlsafe(32)
        await db.insert_refresh_token(_digest(token), family_id, self.times.idle)
        return token

    async def pair(self, user: User, refresh_token: str) -> TokenPair:
        """Return ``refresh_token`` with an access token."""
        return TokenPair(await self.minter.user_token(user), refresh_token, self.minter.access_seconds)

    async def refresh(self, presented: str, client: Client) -> tuple[User, TokenPair]:
        """Exchange a refresh token; raises ``InvalidRefreshToken`` when it does not hold (any more)."""
        with attempt("refresh"):
            async with self.store.transaction() as db:
                held = await db.lock_refresh_token(_digest(presented))
                holds = held is not None and await self._advance(db, held, presented, client)
            if held is None or not holds:
                raise InvalidRefreshToken
            return held.user, await self.pair(held.user, self.vault.successor(presented))

    async def _advance(self, db: AuthStore, held: HeldRefreshToken, presented: str, client: Client) -> bool:
        who = self.vault.blind(client.fingerprint)
        if held.dead:
            return False
        if held.used_seconds_ago is None:
            await db.use_refresh_token(_digest(presented), held.family_id, who)
            successor = _digest(self.vault.successor(presented))
            await db.insert_refresh_token(successor, held.family_id, self.times.idle)
            return True
        if held.used_by == who and held.used_seconds_ago < self.times.replay_seconds:
            REFRESH_REPLAYS.inc()
            return True
        await self._end(db, held, "refresh_reuse", client)
        return False

    async def end(self, presented: str, client: Client) -> None:
        """End the session of a refresh token; nothing happens when there is none."""
        async with self.store.transaction() as db:
            held = await db.lock_refresh_token(_digest(presented))
            if held is not None:
                await self._end(db, held, "logout", client)

    async def _end(self, db: AuthStore, held: HeldRefreshToken, reason: str, client: Client) -> None:
        if await db.end_family(held.family_id, reason):
            family = str(held.family_id)
            await self.audit.record(db, reason, subject=str(held.user.id), client=client, family=family)

    async def sweep(self) -> None:
        """Forget sessions long over, once an hour."""
        while True:
            while await self.store.delete_expired_families(_SWEEP_BATCH) == _SWEEP_BATCH:
                log.info("sessions_forgotten", sessions=_SWEEP_BATCH)
            await asyncio.sleep(_SWEEP_SECONDS)


def _digest(token: str) -> bytes:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

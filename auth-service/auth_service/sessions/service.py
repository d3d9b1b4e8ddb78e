"""Sessions: refresh tokens in families (RFC 9700 section 4.14.2).

A refresh token is used once and names its successor. Used again by the same client within a short
window it yields the same successor, since a lost answer is more likely than a theft; any other second use
ends the whole family, because thief and owner cannot be told apart. With a session end its access tokens, at
every service within a second (docs/adr/0010).
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

import structlog

from auth_service.audit.recorder import Audit, Client
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import InvalidRefreshToken, SessionNotFound
from auth_service.metrics import REFRESH_REPLAYS, attempt
from auth_service.revocations.service import Revocations
from auth_service.sessions import repository as session_store
from auth_service.sessions.repository import Session
from auth_service.tokens.issuer import TokenMinter
from auth_service.users.repository import AuthStore, HeldRefreshToken, User

log = structlog.get_logger("auth.sessions")
_SWEEP_SECONDS = 3600
_SWEEP_BATCH = 1000
_LISTED = 200


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets for proving who it is."""

    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token ends."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session and the refresh token that continues it."""

    id: uuid.UUID
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long things last."""

    idle: timedelta
    longest: timedelta
    replay_seconds: float


@dataclass(frozen=True)
class Sessions:
    """Begins, refreshes, lists and ends sessions."""

    store: AuthStore
    minter: TokenMinter
    vault: Vault
    audit: Audit
    times: SessionTimes
    revocations: Revocations

    async def begin(self, db: AuthStore, user: User, client: Client | None = None) -> OpenSession:
        """Store a new family and return it with its first refresh token."""
        agent = client.agent.replace("\x00", "") if client else ""
        family_id = await db.insert_family(user.id, self.times.longest, agent)
        token = secrets.token_urlsafe(32)
        await db.insert_refresh_token(digest(token), family_id, self.times.idle)
        return OpenSession(family_id, token)

    async def pair(self, user: User, session: OpenSession) -> TokenPair:
        """Return the session's refresh token with an access token."""
        access = await self.minter.user_token(user, str(session.id))
        return TokenPair(access, session.refresh_token, self.minter.access_seconds)

    async def refresh(self, presented: str, client: Client) -> tuple[User, TokenPair]:
        """Exchange a refresh token; raises ``InvalidRefreshToken`` when it does not hold (any more)."""
        with attempt("refresh"):
            async with self.store.transaction() as db:
                held = await db.lock_refresh_token(digest(presented))
                holds = held is not None and await self._advance(db, held, presented, client)
            if held is None or not holds:
                await self.revocations.settle()
                raise InvalidRefreshToken
            return held.user, await self.pair(held.user, OpenSession(held.family_id, self.vault.successor(presented)))

    async def _advance(self, db: AuthStore, held: HeldRefreshToken, presented: str, client: Client) -> bool:
        who = self.vault.blind(client.fingerprint)
        if held.dead:
            return False
        if held.used_seconds_ago is None:
            await db.use_refresh_token(digest(presented), held.family_id, who)
            successor = digest(self.vault.successor(presented))
            await db.insert_refresh_token(successor, held.family_id, self.times.idle)
            return True
        if held.used_by == who and held.used_seconds_ago < self.times.replay_seconds:
            REFRESH_REPLAYS.inc()
            return True
        await self._end(db, held, "refresh_reuse", client)
        return False

    async def end(self, presented: str, client: Client) -> None:
        """End the session of a refresh token; nothing happens when there is none."""
        async with self.revocations.transaction() as db:
            held = await db.lock_refresh_token(digest(presented))
            if held is not None:
                await self._end(db, held, "logout", client)

    async def of(self, user_id: str) -> list[Session]:
        """Return a user's sessions in force, the last used first, at most 200."""
        return await session_store.open_sessions(self.store, uuid.UUID(user_id), _LISTED)

    async def end_one(self, user_id: str, session_id: str, client: Client) -> None:
        """End one session of a user; raises ``SessionNotFound``."""
        async with self.revocations.transaction() as db:
            ended = await session_store.end_sessions(db, uuid.UUID(user_id), "ended", only=uuid.UUID(session_id))
            if not ended:
                raise SessionNotFound(session_id=session_id)
            await self._note(db, "session_ended", user_id, ended, client)

    async def end_all(self, user_id: str, client: Client | None, *, keep: str | None = None) -> int:
        """End all sessions of a user, or all but ``keep``; return how many there were."""
        async with self.revocations.transaction() as db:
            return await self.end_within(db, user_id, "logout_everywhere", client, keep=keep)

    async def end_within(
        self, db: AuthStore, user_id: str, reason: str, client: Client | None, *, keep: str | None = None
    ) -> int:
        """``end_all`` as the last part of a larger transaction: a new password, a suspension, an erasure.

        What services remember of the user's API keys is forgotten too. In a ``revocations.transaction()`` it holds at
        its end; in another it holds within a second all the same.
        """
        kept = uuid.UUID(keep) if keep else None
        ended = await session_store.end_sessions(db, uuid.UUID(user_id), reason, keep=kept)
        await self._note(db, reason, user_id, ended, client)
        await self.revocations.add(db, "user", [user_id])
        return len(ended)

    async def _note(
        self, db: AuthStore, event: str, user_id: str, ended: list[uuid.UUID], client: Client | None
    ) -> None:
        await self.audit.record(db, event, subject=user_id, client=client, sessions=len(ended))
        await self.revocations.add(db, "session", [str(session) for session in ended])

    async def _end(self, db: AuthStore, held: HeldRefreshToken, reason: str, client: Client) -> None:
        if await db.end_family(held.family_id, reason):
            family = str(held.family_id)
            await self.audit.record(db, reason, subject=str(held.user.id), client=client, family=family)
            await self.revocations.add(db, "session", [family])

    async def sweep(self) -> None:
        """Forget sessions long over, once an hour."""
        while True:
            while await self.store.delete_expired_families(_SWEEP_BATCH) == _SWEEP_BATCH:
                log.info("sessions_forgotten", sessions=_SWEEP_BATCH)
            await asyncio.sleep(_SWEEP_SECONDS)

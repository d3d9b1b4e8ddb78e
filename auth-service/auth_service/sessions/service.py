"""Sessions: refresh tokens in families (RFC 9700 section 4.14.2).

A refresh token is used once and has one successor. Used again by the same client within a short window it yields the
same successor, since a lost answer is more likely than a theft; any other second use ends the session, because thief
and owner cannot be told apart. The access tokens of a session that ends are refused by every service within a second
(docs/adr/0010).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from auth_service.audit.recorder import Audit
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import InvalidRefreshToken, SessionNotFound
from auth_service.metrics import REFRESH_REPLAYS, attempt
from auth_service.revocations.service import Revocations
from auth_service.sessions import browser_session_repository, refresh_token_repository, repository
from auth_service.sessions.model import Authentication, ClientGrant, Session
from auth_service.sessions.refresh_token_repository import HeldRefreshToken
from auth_service.tokens.issuer import TokenIssuer
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import Postgres

log = structlog.get_logger("castor.auth.sessions")
_DELETE_BATCH = 1000
_LISTED = 200
PASSWORD = ("pwd",)
"""``amr`` of a session that began with the password alone (RFC 8176)."""
PASSWORD_AND_CODE = ("pwd", "otp", "mfa")
"""``amr`` of a session that began with the password and an MFA code."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The tokens of a session."""

    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token expires."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Another access token of a session."""

    access_token: str
    expires_in: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session and the refresh token that continues it."""

    id: uuid.UUID
    refresh_token: str
    authentication: Authentication
    grant: ClientGrant | None = None
    """Of the OpenID Connect client that began it; None: it was begun by a login at this service."""


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """Lifetimes of sessions."""

    idle: timedelta
    """A refresh token that is not used for so long expires."""
    longest: timedelta
    """A session ends after so long, however often it is refreshed."""
    replay_seconds: float
    """Within so long, a repeated refresh of the same client gets the same successor."""


@dataclass(frozen=True)
class Sessions:
    """Begins, refreshes, lists and ends sessions."""

    postgres: Postgres
    issuer: TokenIssuer
    vault: Vault
    audit: Audit
    times: SessionTimes
    revocations: Revocations

    async def begin(
        self,
        db: asyncpg.Connection,
        user: User,
        client: Client,
        amr: Sequence[str],
        *,
        authenticated_at: datetime | None = None,
        grant: ClientGrant | None = None,
    ) -> OpenSession:
        """Store a new session and return it with its first refresh token; the user was authenticated now, or earlier.

        The account has to be locked, and to be as it was when the user was authenticated: else the session would
        outlive a change of the password that ended all others.
        """
        agent = client.agent.replace("\x00", "")
        session_id, authentication = await repository.insert(
            db, user.id, self.times.longest, agent, amr, authenticated_at=authenticated_at, grant=grant
        )
        token = secrets.token_urlsafe(32)
        await refresh_token_repository.insert(db, digest(token), session_id, self.times.idle)
        return OpenSession(session_id, token, authentication, grant)

    async def pair(self, user: User, session: OpenSession) -> TokenPair:
        """Return the session's refresh token with a new access token."""
        how, grant = session.authentication, session.grant
        client_id, granted = (grant.client_id, grant.scopes) if grant else (None, ())
        access = await self.issuer.user_token(
            user, str(session.id), how.methods, how.at, client_id=client_id, granted=granted
        )
        return TokenPair(access, session.refresh_token, self.issuer.access_seconds)

    async def strengthen(self, user: User, session_id: str, methods: Sequence[str]) -> AccessToken:
        """Return an access token of a session whose user has just proved more; raises ``SessionNotFound``."""
        found = await repository.strengthen(self.postgres, user.id, uuid.UUID(session_id), methods)
        if found is None:
            raise SessionNotFound(session_id=session_id)
        pair = await self.pair(user, OpenSession(uuid.UUID(session_id), "", *found))
        return AccessToken(pair.access_token, pair.expires_in)

    async def refresh(self, presented: str, client: Client) -> tuple[User, TokenPair]:
        """Exchange a refresh token of a login at this service; raises ``InvalidRefreshToken``."""
        user, session = await self.advance(presented, client)
        return user, await self.pair(user, session)

    async def advance(
        self, presented: str, client: Client, *, client_id: str | None = None
    ) -> tuple[User, OpenSession]:
        """Return the session of a refresh token, with its next; raises ``InvalidRefreshToken`` when it does not hold.

        Neither does one of a session that another OpenID Connect client than ``client_id`` began.
        """
        with attempt("refresh"):
            async with self.postgres.transaction() as db:
                held = await refresh_token_repository.lock(db, digest(presented))
                if held is not None and client_id != (held.grant and held.grant.client_id):
                    held = None
                valid = held is not None and await self._advance(db, held, presented, client)
            if held is None or not valid:
                await self.revocations.settle()
                raise InvalidRefreshToken
            successor = self.vault.successor(presented)
            return held.user, OpenSession(held.session_id, successor, held.authentication, held.grant)

    async def _advance(self, db: asyncpg.Connection, held: HeldRefreshToken, presented: str, client: Client) -> bool:
        used_by = self.vault.blind(client.fingerprint)
        if held.dead:
            return False
        if held.used_seconds_ago is None:
            await refresh_token_repository.use(db, digest(presented), used_by)
            await repository.touch(db, held.session_id)
            successor = digest(self.vault.successor(presented))
            await refresh_token_repository.insert(db, successor, held.session_id, self.times.idle)
            return True
        if held.used_by == used_by and held.used_seconds_ago < self.times.replay_seconds:
            REFRESH_REPLAYS.inc()
            return True
        await self._end(db, held, "refresh_reuse", client)
        return False

    async def end(self, presented: str, client: Client) -> None:
        """End the session of a refresh token; does nothing when there is none."""
        async with self.revocations.transaction() as db:
            held = await refresh_token_repository.lock(db, digest(presented))
            if held is not None:
                await self._end(db, held, "logout", client)

    async def _end(self, db: asyncpg.Connection, held: HeldRefreshToken, reason: str, client: Client) -> None:
        if await repository.end(db, held.session_id, reason):
            session = str(held.session_id)
            await self.audit.record(db, reason, subject=str(held.user.id), client=client, family=session)
            await self.revocations.add(db, "session", [session])

    async def in_force(self, user_id: str) -> list[Session]:
        """Return a user's sessions in force, the last used first, at most 200."""
        return await repository.in_force(self.postgres, uuid.UUID(user_id), _LISTED)

    async def end_one(self, user_id: str, session_id: str, client: Client) -> None:
        """End one session of a user; raises ``SessionNotFound``."""
        async with self.revocations.transaction() as db:
            ended = await repository.end_of_user(db, uuid.UUID(user_id), "ended", only=uuid.UUID(session_id))
            if not ended:
                raise SessionNotFound(session_id=session_id)
            await self.revocations.add(db, "session", await self._recorded(db, "session_ended", user_id, ended, client))

    async def end_session(
        self, db: asyncpg.Connection, user_id: str, session_id: str, reason: str, client: Client
    ) -> list[str]:
        """End one session of a user within a larger transaction, if it lasts; the reason names the audit event.

        Returns the ids that the transaction has to revoke, as its last statement.
        """
        ended = await repository.end_of_user(db, uuid.UUID(user_id), reason, only=uuid.UUID(session_id))
        return await self._recorded(db, reason, user_id, ended, client) if ended else []

    async def end_all(self, user_id: str, client: Client, *, keep: str | None = None) -> int:
        """End all sessions of a user, or all but ``keep``; return how many there were."""
        async with self.revocations.transaction() as db:
            await users.lock(db, uuid.UUID(user_id))
            ended = await self.end_within(db, user_id, "logout_everywhere", client, keep=keep)
            await self.revocations.add(db, "session", ended)
            # Every service acts on each: who ends nothing, again and again, must not keep them busy.
            await self.revocations.add(db, "user", [user_id] if ended else [])
        return len(ended)

    async def end_within(
        self, db: asyncpg.Connection, user_id: str, reason: str, client: Client, *, keep: str | None = None
    ) -> list[str]:
        """``end_all`` within a larger transaction that has locked the account, such as a change of the password.

        Returns the ids that the transaction has to revoke, with the user, as its last statements.
        """
        kept = uuid.UUID(keep) if keep else None
        await browser_session_repository.delete_of_user(db, uuid.UUID(user_id))
        ended = await repository.end_of_user(db, uuid.UUID(user_id), reason, keep=kept)
        return await self._recorded(db, reason, user_id, ended, client)

    async def _recorded(
        self, db: asyncpg.Connection, event: str, user_id: str, ended: list[uuid.UUID], client: Client
    ) -> list[str]:
        await self.audit.record(db, event, subject=user_id, client=client, sessions=len(ended))
        return [str(session) for session in ended]

    async def delete_expired(self) -> None:
        """Delete sessions that expired a week ago."""
        while await repository.delete_expired(self.postgres, _DELETE_BATCH) == _DELETE_BATCH:
            log.info("sessions_forgotten", sessions=_DELETE_BATCH)

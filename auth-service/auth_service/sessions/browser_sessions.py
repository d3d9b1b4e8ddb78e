"""Browsers that stay logged in at the login page: the next frontend gets its code without a form (single sign-on)."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from auth_service.crypto.digests import digest
from auth_service.sessions import browser_session_repository as repository
from auth_service.sessions.browser_session_repository import BrowserSession
from auth_service.users.model import User
from castor_chassis import Postgres


@dataclass(frozen=True)
class BrowserSessions:
    """Begins, finds and ends them; the browser holds a random token of 256 bits, the database its digest."""

    postgres: Postgres
    lifetime: timedelta
    """Zero: every frontend asks."""

    async def begin(self, db: asyncpg.Connection, user: User, amr: Sequence[str]) -> str | None:
        """Remember a login that happens now, in the transaction that locked the account; return the browser's token."""
        if not self.lifetime:
            return None
        token = secrets.token_urlsafe(32)
        await repository.insert(db, digest(token), user, amr, self.lifetime)
        return token

    async def find(self, token: str | None) -> BrowserSession | None:
        """Return the login that a browser's token stands for, while it counts."""
        return await repository.find(self.postgres, digest(token)) if token and self.lifetime else None

    async def end(self, db: asyncpg.Connection, token: str | None, user_id: str) -> None:
        """End the login of a user in the browser that has ``token``; somebody else's stays."""
        if token:
            await repository.delete(db, digest(token), uuid.UUID(user_id))

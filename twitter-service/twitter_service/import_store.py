"""The records of imports in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.errors import ImportNotFound
from twitter_service.tweets import NewTweet, Rejection

MAX_REJECTIONS = 1_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Who asked: continued when the tweets are scored."""

    request_id: str | None
    traceparent: str | None


@dataclass
class Tally:
    """What an import has found so far."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    first_tweet_at: datetime | None = None
    last_tweet_at: datetime | None = None
    entities_created: list[str] = field(default_factory=list)
    authors_left_out: int = 0

    @property
    def rows(self) -> int:
        """Records read; each is exactly one of accepted, duplicate or rejected."""
        return self.accepted + self.duplicates + self.rejected

    def reject(self, rejection: Rejection) -> None:
        """Count a rejection, and keep it while there are few."""
        self.rejected += 1
        if len(self.rejections) < MAX_REJECTIONS:
            self.rejections.append(rejection)

    def see(self, tweet: NewTweet) -> None:
        """Widen the span of time to ``tweet``."""
        self.first_tweet_at = min(self.first_tweet_at or tweet.created_at, tweet.created_at)
        self.last_tweet_at = max(self.last_tweet_at or tweet.created_at, tweet.created_at)


class ImportStore:
    """Records of imports."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def begin(self, import_id: str, file_format: str, filename: str | None, origin: Origin) -> None:
        """Record that an import runs."""
        await self._postgres.execute(
            "INSERT INTO imports (id, format, filename, origin_request_id, origin_traceparent) "
            "VALUES ($1, $2, $3, $4, $5)",
            import_id,
            file_format,
            filename,
            origin.request_id,
            origin.traceparent,
        )

    async def progress(self, import_id: str, tally: Tally) -> None:
        """Record how far an import is."""
        await self._postgres.execute(
            "UPDATE imports SET rows = $2, accepted = $3, duplicates = $4, rejected = $5 WHERE id = $1",
            import_id,
            tally.rows,
            tally.accepted,
            tally.duplicates,
            tally.rejected,
        )

    async def end(self, import_id: str, tally: Tally, error: str | None = None) -> None:
        """Record what an import found, and why it failed if it did."""
        await self.progress(import_id, tally)
        await self._postgres.execute(
            "UPDATE imports SET state = $2, error = $3, rejections = $4, entities_created = $5, authors_left_out = $6, "
            "first_tweet_at = $7, last_tweet_at = $8, finished_at = now() WHERE id = $1",
            import_id,
            "failed" if error else "done",
            error,
            [{"line": rejection.line, "reason": rejection.reason} for rejection in tally.rejections],
            tally.entities_created,
            tally.authors_left_out,
            tally.first_tweet_at,
            tally.last_tweet_at,
        )

    async def get(self, import_id: str) -> Row:
        """Return an import; raises ``ImportNotFound``."""
        row = await self._postgres.fetchrow("SELECT * FROM imports WHERE id = $1", import_id)
        if row is None:
            raise ImportNotFound(import_id=import_id)
        return dict(row)

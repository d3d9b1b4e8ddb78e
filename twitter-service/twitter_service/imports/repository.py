"""The records of imports in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.errors import ImportNotFound
from twitter_service.imports.readers.tweet_file import Checkpoint
from twitter_service.tweets.model import Rejection
from twitter_service.tweets.upsert_repository import Added

MAX_REJECTIONS = 1_000
STALE_SECONDS = 60
"""A running import whose record has not moved for so long belongs to a process that is gone."""
Row = dict[str, Any]

# One sender at a time goes on with an import.
_CLAIM = f"""
UPDATE imports SET state = 'running', error = NULL, resumed = resumed + 1, progress_at = now(), finished_at = NULL,
    bytes_total = $2
WHERE id = (
    SELECT id FROM imports
    WHERE head_digest = $1 AND checkpoint IS NOT NULL
      AND (state = 'failed' OR (state = 'running' AND progress_at < now() - interval '{STALE_SECONDS} seconds'))
    ORDER BY started_at DESC LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *
"""


@dataclass(frozen=True)
class Origin:
    """Who asked: continued when the tweets are scored."""

    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class Tally:
    """What an import has found so far."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    refreshed: int = 0
    retweets: int = 0
    rejections: tuple[Rejection, ...] = ()
    first_tweet_at: datetime | None = None
    last_tweet_at: datetime | None = None

    @property
    def rows(self) -> int:
        """Records read; each is exactly one of accepted, duplicate or rejected."""
        return self.accepted + self.duplicates + self.rejected

    def with_chunk(self, chunk: Chunk, added: Added) -> Tally:
        """Return the tally after a chunk was stored."""
        accepted = added.new + added.retweets
        firsts, lasts = (self.first_tweet_at, chunk.first_at), (self.last_tweet_at, chunk.last_at)
        return replace(
            self,
            accepted=self.accepted + accepted,
            duplicates=self.duplicates + chunk.tweets - accepted,
            rejected=self.rejected + len(chunk.rejections),
            refreshed=self.refreshed + added.refreshed,
            retweets=self.retweets + added.retweets,
            rejections=(*self.rejections, *chunk.rejections[: MAX_REJECTIONS - len(self.rejections)]),
            first_tweet_at=min((at for at in firsts if at), default=None),
            last_tweet_at=max((at for at in lasts if at), default=None),
        )


@dataclass(frozen=True)
class Chunk:
    """What one piece of a file held, and how far the file was read with it."""

    tweets: int
    rejections: Sequence[Rejection]
    first_at: datetime | None
    last_at: datetime | None
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Unfinished:
    """An import that broke off, and how far it had come."""

    id: str
    checkpoint: Checkpoint
    tally: Tally


@dataclass(frozen=True)
class Ending:
    """What an import did besides storing tweets."""

    entities_created: Sequence[str] = field(default=())
    authors_left_out: int = 0


class ImportStore:
    """Records of imports."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def begin(
        self, import_id: str, file_format: str, filename: str | None, origin: Origin, head_digest: str, size: int | None
    ) -> None:
        """Record that an import runs."""
        await self._postgres.execute(
            "INSERT INTO imports (id, format, filename, origin_request_id, origin_traceparent, head_digest, "
            "bytes_total) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            import_id,
            file_format,
            filename,
            origin.request_id,
            origin.traceparent,
            head_digest,
            size,
        )

    async def claim(self, head_digest: str, size: int | None) -> Unfinished | None:
        """Take over the latest import that broke off in a file with this beginning; None where there is none."""
        row = await self._postgres.fetchrow(_CLAIM, head_digest, size)
        if row is None:
            return None
        counts = {name: row[name] for name in ("accepted", "duplicates", "rejected", "refreshed", "retweets")}
        rejections = tuple(Rejection(item["line"], item["reason"]) for item in row["rejections"])
        span = {name: row[name] for name in ("first_tweet_at", "last_tweet_at")}
        tally = Tally(**counts, **span, rejections=rejections)
        return Unfinished(row["id"], Checkpoint(**row["checkpoint"]), tally)

    async def progress(self, connection: Any, import_id: str, tally: Tally, at: Checkpoint) -> None:
        """Record how far an import is, in the transaction that stores its tweets."""
        await connection.execute(
            "UPDATE imports SET rows = $2, accepted = $3, duplicates = $4, rejected = $5, refreshed = $6, "
            "retweets = $7, rejections = $8, first_tweet_at = $9, last_tweet_at = $10, bytes_read = $11, "
            "checkpoint = $12, "
            "progress_at = now() WHERE id = $1",
            import_id,
            tally.rows,
            tally.accepted,
            tally.duplicates,
            tally.rejected,
            tally.refreshed,
            tally.retweets,
            [{"line": rejection.line, "reason": rejection.reason} for rejection in tally.rejections],
            tally.first_tweet_at,
            tally.last_tweet_at,
            at.offset,
            asdict(at),
        )

    async def end(self, import_id: str, ending: Ending, error: str | None = None) -> None:
        """Record that an import has ended, and why it failed if it did."""
        await self._postgres.execute(
            "UPDATE imports SET state = $2, error = $3, entities_created = $4, authors_left_out = $5, "
            "finished_at = now() WHERE id = $1",
            import_id,
            "failed" if error else "done",
            error,
            list(ending.entities_created),
            ending.authors_left_out,
        )

    async def authors(self, import_id: str, limit: int) -> Counter[str]:
        """Return how many stored tweets of an import each author wrote."""
        rows = await self._postgres.fetch(
            "SELECT username, count(*) AS tweets FROM tweets WHERE import_id = $1 AND NOT deleted GROUP BY 1 LIMIT $2",
            import_id,
            limit,
        )
        return Counter({row["username"]: row["tweets"] for row in rows})

    async def get(self, import_id: str) -> Row:
        """Return an import; raises ``ImportNotFound``."""
        row = await self._postgres.fetchrow("SELECT * FROM imports WHERE id = $1", import_id)
        if row is None:
            raise ImportNotFound(import_id=import_id)
        return dict(row)

    async def latest(self, limit: int) -> list[Row]:
        """Return the latest imports, newest first."""
        sql = "SELECT * FROM imports ORDER BY started_at DESC, id LIMIT $1"
        return [dict(row) for row in await self._postgres.fetch(sql, limit)]

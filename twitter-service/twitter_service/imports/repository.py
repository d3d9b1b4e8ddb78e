"""Imports in PostgreSQL. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from castor_chassis import Postgres, TimeSpan, affected_rows
from twitter_service.errors import ImportNotFound, ImportTakenOver
from twitter_service.imports.model import (
    Attempt,
    ImportOptions,
    ImportRecord,
    InterruptedImport,
    Tally,
)
from twitter_service.imports.readers.tweet_file import Checkpoint
from twitter_service.tweets.model import Rejection

STALE_SECONDS = 60
"""A running import whose record was not written for so long belongs to a process that has ended."""

_RECORD = tuple(field.name for field in fields(ImportRecord))

# SKIP LOCKED: of several senders of the same file, one goes on with the import.
_CLAIM = f"""
UPDATE imports SET state = 'running', error = NULL, resumed = resumed + 1, progress_at = now(), finished_at = NULL,
    bytes_total = $2
WHERE id = (
    SELECT id FROM imports
    WHERE head_digest = $1 AND dataset IS NOT DISTINCT FROM $3 AND checkpoint IS NOT NULL
      AND (state = 'failed' OR (state = 'running' AND progress_at < now() - interval '{STALE_SECONDS} seconds'))
    ORDER BY started_at DESC LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, resumed, accounts, checkpoint, accepted, duplicates, rejected, refreshed, retweets, rejections,
          first_tweet_at, last_tweet_at
"""

_BEGIN = """
INSERT INTO imports (id, format, filename, dataset, origin_request_id, origin_traceparent, head_digest, bytes_total)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# Attempts are numbered: one that seemed dead, and whose import another one has taken over, writes nothing more.
_PROGRESS = """
UPDATE imports
SET rows = $2, accepted = $3, duplicates = $4, rejected = $5, refreshed = $6, retweets = $7, rejections = $8,
    first_tweet_at = $9, last_tweet_at = $10, bytes_read = $11, checkpoint = $12, accounts = $13, progress_at = now()
WHERE id = $1 AND resumed = $14
"""

_TRACKING = """
UPDATE imports SET entities_created = entities_created || $3::text[], progress_at = now()
WHERE id = $1 AND resumed = $2
"""

_END = """
UPDATE imports SET state = $2, error = $3, authors_left_out = $4, notes = $5, finished_at = now()
WHERE id = $1 AND resumed = $6
"""

# By time, of which there is an index: the import of a tweet has none.
_AUTHORS = """
SELECT created_at, id, CASE WHEN import_id = $1 THEN username END AS username
FROM tweets WHERE (created_at, id) > ($2, $3) AND created_at <= $4 AND NOT deleted ORDER BY created_at, id LIMIT $5
"""
_AUTHORS_AT_A_TIME = 20_000
"""Tweets looked at in a statement, so that none takes long, however many are stored."""


class ImportRepository:
    """Records of imports."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def begin(self, import_id: str, file_format: str, options: ImportOptions, head_digest: str) -> None:
        """Record that an import runs."""
        origin = options.origin
        await self._postgres.execute(
            _BEGIN, import_id, file_format, options.filename, options.dataset, origin.request_id, origin.traceparent,
            head_digest, options.size,
        )  # fmt: skip

    async def claim(self, head_digest: str, options: ImportOptions) -> InterruptedImport | None:
        """Take over the latest import into the same data set that broke off in a file with this beginning, or None."""
        row = await self._postgres.fetchrow(_CLAIM, head_digest, options.size, options.dataset)
        if row is None:
            return None
        values = dict(row)
        attempt = Attempt(values.pop("id"), values.pop("resumed"))
        accounts, checkpoint = frozenset(values.pop("accounts")), Checkpoint(**values.pop("checkpoint"))
        tally = Tally(**{**values, "rejections": tuple(_rejections(row["rejections"]))})
        return InterruptedImport(attempt, checkpoint, tally, accounts)

    async def progress(
        self, connection: Any, attempt: Attempt, tally: Tally, at: Checkpoint, accounts: Iterable[str]
    ) -> None:
        """Record how far an import is, in the transaction that stores its tweets; raises ``ImportTakenOver``."""
        rejections = [{"line": rejection.line, "reason": rejection.reason} for rejection in tally.rejections]
        done = await connection.execute(
            _PROGRESS, attempt.id, tally.rows, tally.accepted, tally.duplicates, tally.rejected, tally.refreshed,
            tally.retweets, rejections, tally.first_tweet_at, tally.last_tweet_at, at.offset, asdict(at),
            sorted(accounts), attempt.number,
        )  # fmt: skip
        _check_own(done, attempt)

    async def tracking(self, attempt: Attempt, created: Iterable[str] = ()) -> None:
        """Record entities that an import has created, and that it is still under way; raises ``ImportTakenOver``."""
        _check_own(await self._postgres.execute(_TRACKING, attempt.id, attempt.number, list(created)), attempt)

    async def end(self, attempt: Attempt, left_out: int, notes: Sequence[str], error: str | None = None) -> None:
        """Record that an import has ended, what was recognised of its file, and why it failed if it did.

        ``left_out`` counts authors that did not become entities. Raises ``ImportTakenOver`` and records nothing where
        another attempt goes on with it.
        """
        state = "failed" if error else "done"
        done = await self._postgres.execute(_END, attempt.id, state, error, left_out, list(notes), attempt.number)
        _check_own(done, attempt)

    async def authors(self, import_id: str, first: datetime, last: datetime, limit: int) -> Counter[str]:
        """Return how many tweets from ``first`` to ``last`` that an import stored each author wrote.

        At most ``limit`` authors are told apart.
        """
        found: Counter[str] = Counter()
        at = first, 0
        while rows := await self._postgres.fetch(_AUTHORS, import_id, *at, last, _AUTHORS_AT_A_TIME):
            found.update(name for row in rows if (name := row["username"]) and (len(found) < limit or name in found))
            at = rows[-1]["created_at"], rows[-1]["id"]
        return found

    async def get(self, import_id: str) -> ImportRecord:
        """Return an import; raises ``ImportNotFound``."""
        row = await self._postgres.fetchrow(f"SELECT {', '.join(_RECORD)} FROM imports WHERE id = $1", import_id)
        if row is None:
            raise ImportNotFound(import_id=import_id)
        return _record(row)

    async def latest(self, limit: int, started: TimeSpan, before: tuple[datetime, str] | None) -> list[ImportRecord]:
        """Return imports that started in a span, newest first; ``before``: (started_at, id) of the last page's end."""
        sql = (
            f"SELECT {', '.join(_RECORD)} FROM imports WHERE ($2::timestamptz IS NULL OR started_at >= $2) "
            "AND ($3::timestamptz IS NULL OR started_at < $3) "
            "AND ($4::timestamptz IS NULL OR (started_at, id) < ($4, $5)) ORDER BY started_at DESC, id DESC LIMIT $1"
        )
        rows = await self._postgres.fetch(sql, limit, *started, *(before or (None, None)))
        return [_record(row) for row in rows]


def _check_own(done: str, attempt: Attempt) -> None:
    if not affected_rows(done):
        raise ImportTakenOver(import_id=attempt.id)


def _record(row: Any) -> ImportRecord:
    return ImportRecord(**{**dict(row), "rejections": _rejections(row["rejections"])})


def _rejections(items: list[dict[str, Any]]) -> list[Rejection]:
    return [Rejection(item["line"], item["reason"]) for item in items]

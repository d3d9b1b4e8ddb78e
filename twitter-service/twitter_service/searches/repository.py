"""Readings of X in PostgreSQL: asked for, claimed under a lease, carried on where they stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from castor_chassis import Postgres
from twitter_service.billing.budget import Payer, Purpose
from twitter_service.x.client import Span
from twitter_service.x.errors import SearchNotFound

Row = dict[str, Any]
Kind = Literal["search", "collection", "gap", "timeline"]

_INSERT = """
INSERT INTO x_searches (id, kind, collection_id, tenant, purpose, idempotency_key, request, queries, archive,
                        starts_at, ends_at, since_id, until_id, max_posts, not_before)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce($15, now()))
ON CONFLICT DO NOTHING
"""

_CLAIM = """
UPDATE x_searches s
SET state = 'running', claim = $1, lease_until = clock_timestamp() + make_interval(secs => $2)
WHERE s.id = ANY(ARRAY(
    SELECT id FROM x_searches
    WHERE not_before <= clock_timestamp()
      AND (state = 'queued' OR state = 'running' AND lease_until < clock_timestamp())
    ORDER BY not_before, created_at LIMIT $3 FOR UPDATE SKIP LOCKED
))
RETURNING s.*
"""

_PROGRESS = """
UPDATE x_searches
SET query_number = $3, next_token = $4, pages = pages + 1, posts_read = posts_read + $5,
    posts_billed = posts_billed + $6, micro_usd = micro_usd + $7, stored = stored + $8,
    duplicates = duplicates + $9, rejected = rejected + $10, newest_id = greatest(newest_id, $11),
    attempts = 0, error_code = NULL, error = NULL
WHERE id = $1 AND claim = $2
"""

# X may index a post late, so the checkpoint stays a minute behind the end of what was read.
_END = """
WITH ended AS (
    UPDATE x_searches SET state = 'done', complete = $3, finished_at = now(), claim = NULL
    WHERE id = $1 AND claim = $2
    RETURNING kind, collection_id, ends_at
)
UPDATE x_collections c
SET error_code = NULL, error = NULL, since_id = greatest(
    c.since_id, ((extract(epoch FROM e.ends_at - interval '60 s') * 1000)::bigint - 1288834974657) << 22)
FROM ended e WHERE c.id = e.collection_id AND e.kind = 'collection'
"""

_RENEW = """
WITH renewed AS (
    UPDATE x_searches SET lease_until = clock_timestamp() + make_interval(secs => $2)
    WHERE claim = $1 AND state = 'running'
)
UPDATE x_reservations r SET lease_until = clock_timestamp() + make_interval(secs => $2)
FROM x_searches s
WHERE r.id = s.id AND s.state IN ('queued', 'running') AND r.lease_until > clock_timestamp()
"""


@dataclass(frozen=True)
class NewSearch:
    """What is to be read."""

    id: str
    kind: Kind
    payer: Payer
    request: Row
    queries: Sequence[str]
    span: Span
    max_posts: int
    archive: bool = False
    idempotency_key: str | None = None
    collection_id: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Job:
    """A reading that this replica works on."""

    id: str
    kind: Kind
    collection_id: str | None
    tenant: str
    purpose: Purpose
    queries: list[str]
    archive: bool
    starts_at: datetime | None
    ends_at: datetime | None
    since_id: int | None
    until_id: int | None
    max_posts: int
    attempts: int
    claim: str
    query_number: int
    next_token: str | None
    posts_read: int
    newest_id: int | None

    @property
    def payer(self) -> Payer:
        """Who pays."""
        return Payer(self.tenant, self.purpose)

    @property
    def span(self) -> Span:
        """Which part of time is read."""
        return Span(self.starts_at, self.ends_at, self.since_id, self.until_id)


_JOB = [field.name for field in fields(Job)]


@dataclass(frozen=True)
class Page:
    """What one page brought, and where the next one begins."""

    query_number: int
    next_token: str | None
    read: int
    billed: int
    micro_usd: int
    stored: int
    duplicates: int
    rejected: int
    newest_id: int | None


class SearchStore:
    """Readings of X."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, new: NewSearch) -> bool:
        """Store a reading; False when its tenant has used its idempotency key, or its id, already."""
        span = new.span
        done = await self._postgres.execute(
            _INSERT, new.id, new.kind, new.collection_id, new.payer.tenant, new.payer.purpose, new.idempotency_key,
            new.request, list(new.queries), new.archive, span.start, span.end, span.since_id, span.until_id,
            new.max_posts, new.not_before,
        )  # fmt: skip
        return done == "INSERT 0 1"

    async def get(self, search_id: str) -> Row:
        """Return a reading; raises ``SearchNotFound``."""
        row = await self._postgres.fetchrow("SELECT * FROM x_searches WHERE id = $1", search_id)
        if row is None:
            raise SearchNotFound(search_id=search_id)
        return dict(row)

    async def by_key(self, tenant: str, key: str) -> Row | None:
        """Return what a tenant asked for under an idempotency key."""
        row = await self._postgres.fetchrow(
            "SELECT * FROM x_searches WHERE tenant = $1 AND idempotency_key = $2", tenant, key
        )
        return None if row is None else dict(row)

    async def listed(self, collection_id: str | None, before: tuple[datetime, str] | None, limit: int) -> list[Row]:
        """Return readings, newest first."""
        moment, last = before or (None, None)
        rows = await self._postgres.fetch(
            "SELECT * FROM x_searches WHERE ($1::text IS NULL OR collection_id = $1) "
            "AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
            collection_id,
            moment,
            last,
            limit,
        )
        return [dict(row) for row in rows]

    async def claim(self, claim: str, limit: int, lease_seconds: float) -> list[Job]:
        """Take up to ``limit`` readings that are due, and those whose replica died."""
        rows = await self._postgres.fetch(_CLAIM, claim, lease_seconds, limit)
        return [Job(**{name: row[name] for name in _JOB}) for row in rows]

    async def renew(self, claim: str, lease_seconds: float) -> None:
        """Renew our leases, and the promises of all that waits or runs."""
        await self._postgres.execute(_RENEW, claim, lease_seconds)

    async def progress(self, job: Job, page: Page) -> bool:
        """Record a page; False when the reading is no longer ours."""
        done = await self._postgres.execute(
            _PROGRESS, job.id, job.claim, page.query_number, page.next_token, page.read, page.billed,
            page.micro_usd, page.stored, page.duplicates, page.rejected, page.newest_id,
        )  # fmt: skip
        return done == "UPDATE 1"

    async def end(self, job: Job, *, complete: bool) -> None:
        """Record that a reading is done, and with it the checkpoint of the collection whose run it was."""
        await self._postgres.execute(_END, job.id, job.claim, complete)

    async def stop(self, job: Job, state: Literal["failed", "paused"], code: str, error: str) -> None:
        """Record why a reading cannot go on, for good or until it is queued again."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = $3, error_code = $4, error = $5, claim = NULL, "
            "finished_at = CASE WHEN $3 = 'failed' THEN now() END WHERE id = $1 AND claim = $2",
            job.id,
            job.claim,
            state,
            code,
            error,
        )

    async def postpone(self, job: Job, seconds: float, code: str, error: str) -> None:
        """Let a reading be tried again later."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', claim = NULL, attempts = attempts + 1, error_code = $4, "
            "error = $5, not_before = now() + make_interval(secs => $3) WHERE id = $1 AND claim = $2",
            job.id,
            job.claim,
            seconds,
            code,
            error,
        )

    async def give_up(self, claim: str) -> None:
        """Hand all that we hold to whoever comes next."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', claim = NULL WHERE claim = $1 AND state = 'running'", claim
        )

    async def requeue(self, search_id: str, more_posts: int) -> None:
        """Let a paused reading go on, with ``more_posts`` beyond those it has read."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', max_posts = posts_read + $2, not_before = now() "
            "WHERE id = $1 AND state = 'paused'",
            search_id,
            more_posts,
        )

    async def waiting(self) -> int:
        """Return how many readings are not finished."""
        return int(
            await self._postgres.fetchval(
                "SELECT count(*) FROM x_searches WHERE state IN ('queued', 'running', 'paused')"
            )
        )

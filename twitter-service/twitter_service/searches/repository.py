"""Search jobs in PostgreSQL: queued, claimed under a lease, resumed where they stood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from castor_chassis import ANY_TIME, Postgres, TimeSpan, affected_rows
from twitter_service.errors import SearchNotFound
from twitter_service.searches.model import (
    CLAIMED_COLUMNS,
    RECORD_COLUMNS,
    ClaimedJob,
    JobRecord,
    NewJob,
    PageProgress,
)

_RECORD = f"SELECT {', '.join(RECORD_COLUMNS)} FROM x_searches"

_INSERT = """
INSERT INTO x_searches (id, kind, collection_id, tenant, purpose, idempotency_key, request, queries, archive,
                        starts_at, ends_at, since_id, until_id, max_posts, not_before, org)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce($15, now()), $16)
ON CONFLICT DO NOTHING
"""

_CLAIM = f"""
UPDATE x_searches s
SET state = 'running', claim = $1, lease_until = clock_timestamp() + make_interval(secs => $2)
WHERE s.id = ANY(ARRAY(
    SELECT id FROM x_searches
    WHERE not_before <= clock_timestamp()
      AND (state = 'queued' OR state = 'running' AND lease_until < clock_timestamp())
    ORDER BY not_before, created_at LIMIT $3 FOR UPDATE SKIP LOCKED
))
RETURNING {", ".join("s." + name for name in CLAIMED_COLUMNS)}
"""

_PROGRESS = """
UPDATE x_searches
SET query_number = $3, next_token = $4, pages = pages + 1, posts_read = posts_read + $5,
    posts_billed = posts_billed + $6, micro_usd = micro_usd + $7, stored = stored + $8,
    duplicates = duplicates + $9, rejected = rejected + $10, newest_id = greatest(newest_id, $11),
    attempts = 0, error_code = NULL, error = NULL
WHERE id = $1 AND claim = $2
"""

# X may index a post late, so the checkpoint stays a minute behind the end of the window that was read.
_END = """
WITH ended AS (
    UPDATE x_searches SET state = 'done', complete = $3, finished_at = now(), claim = NULL
    WHERE id = $1 AND claim = $2
    RETURNING kind, collection_id, ends_at
)
UPDATE x_collections c
SET error_code = NULL, error = NULL, since_id = CASE e.kind WHEN 'collection' THEN greatest(
    c.since_id, ((extract(epoch FROM e.ends_at - interval '60 s') * 1000)::bigint - 1288834974657) << 22)
    ELSE c.since_id END
FROM ended e WHERE c.key = e.collection_id
"""

_STOP = """
WITH stopped AS (
    UPDATE x_searches SET state = $3, error_code = $4, error = $5, claim = NULL,
        finished_at = CASE WHEN $3 = 'failed' THEN now() END
    WHERE id = $1 AND claim = $2
    RETURNING collection_id
)
UPDATE x_collections c SET error_code = $4, error = $5 FROM stopped s WHERE c.key = s.collection_id AND $6
"""

_RENEW = """
WITH renewed AS (
    UPDATE x_searches SET lease_until = clock_timestamp() + make_interval(secs => $2)
    WHERE claim = $1 AND state = 'running' AND id = ANY($3)
)
UPDATE x_reservations r SET lease_until = clock_timestamp() + make_interval(secs => $2)
FROM x_searches s
WHERE r.id = s.id AND s.state IN ('queued', 'running') AND r.lease_until > clock_timestamp()
"""


class SearchRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, new: NewJob) -> bool:
        """Queue a job; False when its tenant has used its idempotency key, or its id, already."""
        span = new.span
        done = await self._postgres.execute(
            _INSERT, new.id, new.kind, new.collection_id, new.payer.tenant, new.payer.purpose, new.idempotency_key,
            new.request, list(new.queries), new.archive, span.start, span.end, span.since_id, span.until_id,
            new.max_posts, new.not_before, new.payer.org,
        )  # fmt: skip
        return affected_rows(done) == 1

    async def get(self, org: str, search_id: str) -> JobRecord:
        """Return a job of an organisation; raises ``SearchNotFound``."""
        row = await self._postgres.fetchrow(f"{_RECORD} WHERE org = $1 AND id = $2", org, search_id)
        if row is None:
            raise SearchNotFound(search_id=search_id)
        return JobRecord(*row)

    async def by_key(self, tenant: str, key: str) -> JobRecord | None:
        """Return the job that a tenant queued under an idempotency key, or None."""
        row = await self._postgres.fetchrow(f"{_RECORD} WHERE tenant = $1 AND idempotency_key = $2", tenant, key)
        return None if row is None else JobRecord(*row)

    async def find(
        self,
        org: str,
        collection_key: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
        asked: TimeSpan = ANY_TIME,
    ) -> list[JobRecord]:
        """Return jobs of ``org`` that were asked in a span, newest first.

        ``before`` is the (created_at, id) where the last page ended.
        """
        rows = await self._postgres.fetch(
            f"{_RECORD} WHERE org = $7 AND ($1::text IS NULL OR collection_id = $1) "
            "AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) "
            "AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6) "
            "ORDER BY created_at DESC, id DESC LIMIT $4",
            collection_key, *(before or (None, None)), limit, *asked, org,
        )  # fmt: skip
        return [JobRecord(*row) for row in rows]

    async def claim(self, claim: str, limit: int, lease_seconds: float) -> list[ClaimedJob]:
        """Claim up to ``limit`` jobs that are due, those of a replica that died included."""
        rows = await self._postgres.fetch(_CLAIM, claim, lease_seconds, limit)
        return [ClaimedJob(*row) for row in rows]

    async def renew(self, claim: str, job_ids: Sequence[str], lease_seconds: float) -> None:
        """Renew the leases of jobs of a claim, and the reservations of all jobs that wait or run."""
        await self._postgres.execute(_RENEW, claim, lease_seconds, list(job_ids))

    async def progress(self, job: ClaimedJob, page: PageProgress) -> bool:
        """Record a page; False when another replica has claimed the job meanwhile."""
        done = await self._postgres.execute(
            _PROGRESS, job.id, job.claim, page.query_number, page.next_token, page.read, page.billed,
            page.micro_usd, page.stored, page.duplicates, page.rejected, page.newest_id,
        )  # fmt: skip
        return affected_rows(done) == 1

    async def end(self, job: ClaimedJob, *, complete: bool) -> None:
        """Record that a job is done, and with it the checkpoint of the collection whose run it was."""
        await self._postgres.execute(_END, job.id, job.claim, complete)

    async def stop(self, job: ClaimedJob, state: Literal["failed", "paused"], code: str, error: str) -> None:
        """Record why a job cannot go on: finally, or until it is queued again.

        The collection of the job says so too; that a run met its cap is no fault of it.
        """
        is_fault = code != "cap_reached"
        await self._postgres.execute(_STOP, job.id, job.claim, state, code, error, is_fault)

    async def postpone(self, job: ClaimedJob, seconds: float, code: str, error: str) -> None:
        """Queue a job again, after ``seconds``."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', claim = NULL, attempts = attempts + 1, error_code = $4, "
            "error = $5, not_before = now() + make_interval(secs => $3) WHERE id = $1 AND claim = $2",
            job.id,
            job.claim,
            seconds,
            code,
            error,
        )

    async def release(self, claim: str) -> None:
        """Queue all jobs of a claim again, for any replica."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', claim = NULL WHERE claim = $1 AND state = 'running'", claim
        )

    async def requeue(self, search_id: str, more_posts: int) -> None:
        """Queue a paused job again, with ``more_posts`` beyond those it has read."""
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'queued', max_posts = posts_read + $2, not_before = now(), attempts = 0 "
            "WHERE id = $1 AND state = 'paused'",
            search_id,
            more_posts,
        )

    async def count_unfinished(self) -> int:
        """Return how many jobs are not finished."""
        return int(
            await self._postgres.fetchval(
                "SELECT count(*) FROM x_searches WHERE state IN ('queued', 'running', 'paused')"
            )
        )

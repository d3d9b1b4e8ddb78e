"""SQL of counts by hour: kept up to date from the terms of tweets, read for the weeks before a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import numpy as np

from castor_chassis import Postgres
from trending_service.signals.counts import HourlyCounts
from trending_service.signals.model import Window

HOUR_SECONDS = 3600
_TAKE_SQL = """
DELETE FROM stale_hours WHERE hour IN (
    SELECT hour FROM stale_hours WHERE touched_at <= now() - make_interval(secs => $2)
    ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING hour
"""

_ROLL_UP_SQL = (
    "DELETE FROM term_hours WHERE hour = ANY($1::timestamptz[])",
    "DELETE FROM stream_hours WHERE hour = ANY($1::timestamptz[])",
    """
    INSERT INTO term_hours (term, hour, tweets)
    SELECT term, hour, count(*) FROM (
        SELECT DISTINCT t.term, h.hour, w.text_hash
        FROM unnest($1::timestamptz[]) AS h (hour)
        JOIN tweets AS w ON w.created_at >= h.hour AND w.created_at < h.hour + interval '1 hour'
        CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)) AS used
    GROUP BY term, hour""",
    """
    INSERT INTO stream_hours (hour, tweets)
    SELECT h.hour, count(DISTINCT w.text_hash)
    FROM unnest($1::timestamptz[]) AS h (hour)
    JOIN tweets AS w ON w.created_at >= h.hour AND w.created_at < h.hour + interval '1 hour'
    GROUP BY h.hour""",
)

_STALE = "stale AS (SELECT hour FROM stale_hours WHERE hour >= $1 AND hour < $2)"

_STREAM_SQL = f"""
WITH {_STALE}
SELECT hour, tweets FROM stream_hours
WHERE hour >= $1 AND hour < $2 AND hour NOT IN (SELECT hour FROM stale)
UNION ALL
SELECT s.hour, count(DISTINCT w.text_hash)::int FROM stale AS s
JOIN tweets AS w ON w.created_at >= s.hour AND w.created_at < s.hour + interval '1 hour'
GROUP BY s.hour
"""

_TERMS_SQL = f"""
WITH {_STALE},
used AS (
    SELECT term, hour, tweets FROM term_hours
    WHERE term = ANY($3::text[]) AND hour >= $1 AND hour < $2 AND hour NOT IN (SELECT hour FROM stale)
    UNION ALL
    SELECT t.term, s.hour, count(DISTINCT w.text_hash)::int FROM stale AS s
    JOIN tweets AS w ON w.created_at >= s.hour AND w.created_at < s.hour + interval '1 hour'
    CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)
    WHERE t.term = ANY($3::text[])
    GROUP BY t.term, s.hour)
SELECT term, array_agg(extract(epoch FROM hour)::bigint / 3600) AS hours, array_agg(tweets) AS tweets
FROM used GROUP BY term
"""

_SCOPED_STREAM_SQL = """
SELECT date_trunc('hour', created_at, 'UTC') AS hour, count(DISTINCT text_hash)::int AS tweets FROM tweets
WHERE created_at >= $1 AND created_at < $2 AND scopes @> $3 GROUP BY 1
"""

_SCOPED_TERMS_SQL = """
SELECT term, array_agg(extract(epoch FROM hour)::bigint / 3600) AS hours, array_agg(tweets) AS tweets
FROM (
    SELECT t.term, date_trunc('hour', w.created_at, 'UTC') AS hour, count(DISTINCT w.text_hash)::int AS tweets
    FROM tweets AS w CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)
    WHERE t.term = ANY($3::text[]) AND w.created_at >= $1 AND w.created_at < $2 AND w.scopes @> $4
    GROUP BY 1, 2) AS used
GROUP BY term
"""


class HoursRepository:
    """Counts by hour. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def roll_up(self, *, limit: int = 48, quiet_seconds: float = 10) -> int:
        """Count up to ``limit`` stale hours anew and return how many.

        Hours that changed in the last ``quiet_seconds`` wait. Several replicas may call it: each takes other hours,
        and what is not committed is taken again.
        """
        async with self._postgres.transaction() as connection:
            hours = [row["hour"] for row in await connection.fetch(_TAKE_SQL, limit, quiet_seconds)]
            if hours:
                for sql in _ROLL_UP_SQL:
                    await connection.execute(sql, hours)
            return len(hours)

    async def baseline(self, window: Window, terms: Sequence[str]) -> HourlyCounts:
        """Return the whole hours before a window: of the stream, and of ``terms``.

        A window with scopes is counted from its tweets: only the whole stream is kept by hour.
        """
        first, end = _floor(window.baseline_since), _floor(window.since)
        scopes = [list(window.scopes)] if window.scopes else []
        stream = await self._postgres.fetch(_SCOPED_STREAM_SQL if scopes else _STREAM_SQL, first, end, *scopes)
        used = await self._postgres.fetch(_SCOPED_TERMS_SQL if scopes else _TERMS_SQL, first, end, terms, *scopes)
        return _counts(stream, used, first, end)


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _counts(
    stream: Sequence[asyncpg.Record], used: Sequence[asyncpg.Record], first: datetime, end: datetime
) -> HourlyCounts:
    begin = int(first.timestamp()) // HOUR_SECONDS
    whole = np.zeros(int(end.timestamp()) // HOUR_SECONDS - begin, dtype=np.int64)
    for row in stream:
        whole[int(row["hour"].timestamp()) // HOUR_SECONDS - begin] = row["tweets"]
    return HourlyCounts(begin, whole, {row["term"]: (row["hours"], row["tweets"]) for row in used})

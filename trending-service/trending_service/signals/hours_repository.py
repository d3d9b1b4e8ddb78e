"""SQL of counts by hour: kept up to date from the terms of tweets, read for the weeks before a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from castor_chassis import Postgres
from trending_service.signals.counts import DAY_HOURS, Packed, PackedCounts, packed_of
from trending_service.signals.kept_counts import KeptCounts
from trending_service.signals.model import Window

HOUR_SECONDS = 3600
LATE_HOURS = 1
"""An hour is counted when it is over for so long: what is collected by searches comes late."""

COUNT_SECONDS = 300
"""Limit of each statement that counts: longer than that of a question, since a day that fails is tried again first."""

SLICE_TWEETS = 100_000
"""Terms of so many tweets are counted by one statement, and those of an hour always."""

RECOUNT_FACTOR = 60
"""An hour that was counted before waits so many times longer: its whole day is counted anew."""

_READY = f"""
hour <= now() - make_interval(hours => 1 + {LATE_HOURS})
AND touched_at <= now() - make_interval(secs => $1 * CASE WHEN EXISTS (
    SELECT FROM stream_hours WHERE stream_hours.hour = stale_hours.hour) THEN {RECOUNT_FACTOR} ELSE 1 END)
"""

# The hours of one day are counted by one replica at a time: they share rows. Locks are tried until one is had.
_TAKE_SQL = f"""
WITH mine AS MATERIALIZED (
    SELECT day FROM (
        SELECT date_trunc('day', hour, 'UTC') AS day FROM stale_hours
        WHERE {_READY} GROUP BY 1 ORDER BY 1 OFFSET 0) AS days
    WHERE pg_try_advisory_xact_lock('term_days'::regclass::int, (extract(epoch FROM day) / 86400)::int) LIMIT 1)
DELETE FROM stale_hours WHERE hour IN (
    SELECT hour FROM stale_hours JOIN mine ON mine.day = date_trunc('day', hour, 'UTC')
    WHERE {_READY} FOR UPDATE OF stale_hours SKIP LOCKED)
RETURNING hour
"""

# All counted hours of each day that has an hour which was counted before: its rows are made anew.
_AGAIN_SQL = """
SELECT h.hour, again.day
FROM (SELECT DISTINCT date_trunc('day', hour, 'UTC') AS day FROM stream_hours WHERE hour = ANY($1)) AS again
JOIN stream_hours AS h ON h.hour >= again.day AND h.hour < again.day + interval '24 hours'
"""

_PAIR = "int4send((extract(epoch FROM hour) / 3600)::int) || int4send(tweets::int)"

_FORGET_SQL = "DELETE FROM stream_hours WHERE hour = ANY($1::timestamptz[])"

_STREAM_HOURS_SQL = """
INSERT INTO stream_hours (hour, tweets)
SELECT h.hour, count(DISTINCT w.text_hash)
FROM unnest($1::timestamptz[]) AS h (hour)
JOIN tweets AS w ON w.created_at >= h.hour AND w.created_at < h.hour + interval '1 hour'
GROUP BY h.hour
RETURNING hour, tweets
"""

# Frequent terms, of which a question asks for thousands, are written side by side: they fill few pages of the table.
_TERM_DAYS_SQL = f"""
INSERT INTO term_days (term, day, hours)
SELECT term, date_trunc('day', hour, 'UTC'), string_agg({_PAIR}, ''::bytea)
FROM (
    SELECT term, hour, count(*) AS tweets FROM (
        SELECT DISTINCT t.term, h.hour, w.text_hash
        FROM unnest($1::timestamptz[]) AS h (hour)
        JOIN tweets AS w ON w.created_at >= h.hour AND w.created_at < h.hour + interval '1 hour'
        CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)) AS used
    GROUP BY term, hour) AS counted
GROUP BY 1, 2 ORDER BY sum(tweets) DESC
ON CONFLICT (term, day) DO UPDATE SET hours = term_days.hours || excluded.hours
"""

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

_WANTED = "unnest($3::text[]) WITH ORDINALITY AS wanted (term, place)"

# The counts of all terms in one value, and in another, in the same order, whose they are. To group them by term would
# take a sort on disk, since planners expect a fraction of the rows of frequent terms.
_PACKED = """
string_agg(int4send(place::int) || int4send(length(hours)), ''::bytea) AS owners, string_agg(hours, ''::bytea) AS hours
"""

# Counted from the tweets, and in the same statement, without owners, which hours these are.
_STALE_TERMS_SQL = f"""
WITH {_STALE},
used AS (
    SELECT wanted.place, s.hour, count(DISTINCT w.text_hash)::int AS tweets FROM stale AS s
    JOIN tweets AS w ON w.created_at >= s.hour AND w.created_at < s.hour + interval '1 hour'
    CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)
    JOIN {_WANTED} ON wanted.term = t.term
    GROUP BY wanted.place, s.hour)
SELECT false, {_PACKED} FROM (SELECT place, {_PAIR} AS hours FROM used) AS used
UNION ALL
SELECT false, NULL, string_agg({_PAIR.replace("tweets::int", "0")}, ''::bytea) FROM stale
"""

# Whoever counts an hour of a day, replicas of the version before too, writes a row of it in stream_hours anew.
_DIGESTS_SQL = """
SELECT date_trunc('day', hour, 'UTC') AS day,
       md5(string_agg(concat_ws(' ', hour, tweets, xmin), ',' ORDER BY hour)) AS digest
FROM stream_hours WHERE hour >= date_trunc('day', $1, 'UTC') AND hour < date_trunc('day', $2, 'UTC') + interval '1 day'
GROUP BY 1
"""

_KEPT_SQL = f"SELECT true, {_PACKED} FROM {_WANTED} JOIN term_days USING (term) WHERE day >= $1 AND day <= $2"

_SCOPED_STREAM_SQL = """
SELECT date_trunc('hour', created_at, 'UTC') AS hour, count(DISTINCT text_hash)::int AS tweets FROM tweets
WHERE created_at >= $1 AND created_at < $2 AND scopes @> $3 GROUP BY 1
"""

_SCOPED_TERMS_SQL = f"""
SELECT false AS kept, {_PACKED}
FROM (
    SELECT place, {_PAIR} AS hours FROM (
        SELECT wanted.place, date_trunc('hour', w.created_at, 'UTC') AS hour, count(DISTINCT w.text_hash) AS tweets
        FROM tweets AS w CROSS JOIN string_to_table(w.terms, E'\\n') AS t (term)
        JOIN {_WANTED} ON wanted.term = t.term
        WHERE w.created_at >= $1 AND w.created_at < $2 AND w.scopes @> $4
        GROUP BY 1, 2) AS used) AS pairs
"""


class HoursRepository:
    """Counts by hour. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._counts = KeptCounts()

    async def roll_up(self, *, limit: int = 2, quiet_seconds: float = 10) -> int:
        """Count the stale hours of up to ``limit`` days anew and return how many they were.

        Hours that changed in the last ``quiet_seconds`` wait, those that were counted before ``RECOUNT_FACTOR`` times
        as long, and those that ended within ``LATE_HOURS``. Several replicas may call it: each day is counted in a
        transaction of its own, by one of them, and what is not committed is taken again. A page of the feed that
        changes an hour waits while its day is counted.
        """
        hours = 0
        for _ in range(limit):
            found = await self._roll_up_day(quiet_seconds)
            if not found:
                break
            hours += found
        return hours

    async def _roll_up_day(self, quiet_seconds: float) -> int:
        async with self._postgres.transaction() as connection:
            taken = [row["hour"] for row in await connection.fetch(_TAKE_SQL, quiet_seconds)]
            if taken:
                await _count(connection, taken)
            return len(taken)

    async def baseline(self, window: Window, terms: Sequence[str]) -> PackedCounts:
        """Return the whole hours before a window: of the stream, and of ``terms``.

        A window with scopes is counted from its tweets: only the whole stream is kept by hour.
        """
        first, end = _floor(window.baseline_since), _floor(window.since)
        scopes = [list(window.scopes)] if window.scopes else []
        stream = await self._postgres.fetch(_SCOPED_STREAM_SQL if scopes else _STREAM_SQL, first, end, *scopes)
        # Stale hours before digests, and these before what was kept: whatever is counted in between, no hour is counted
        # twice or not at all.
        used = await self._packed(_SCOPED_TERMS_SQL if scopes else _STALE_TERMS_SQL, first, end, terms, *scopes)
        return PackedCounts(
            _hour(first),
            _hour(end),
            {_hour(row["hour"]): row["tweets"] for row in stream},
            terms,
            used if scopes else [*used, *await self._kept(first, end, terms)],
        )

    async def _kept(self, first: datetime, end: datetime, terms: Sequence[str]) -> list[Packed]:
        """Return the counts of ``terms`` that were kept of the days from ``first`` to ``end``."""
        digests = {row["day"]: row["digest"] for row in await self._postgres.fetch(_DIGESTS_SQL, first, end)}
        plan = self._counts.plan(terms, digests)
        counts = dict(plan.found)
        if plan.missing:
            days = min(plan.digests), max(plan.digests)
            read = dict.fromkeys(plan.missing, b"")
            for packed in await self._packed(_KEPT_SQL, *days, plan.missing):
                read |= packed.by_term(plan.missing)
            self._counts.remember(plan, read)
            counts |= read
        again = [packed for day in plan.changed for packed in await self._packed(_KEPT_SQL, day, day, terms)]
        return [packed_of(terms, counts, [_hour(day) // DAY_HOURS for day in plan.without]), *again]

    async def _packed(self, sql: str, *args: Any) -> list[Packed]:
        return [Packed(*row) for row in await self._postgres.fetch(sql, *args) if row["hours"]]


async def _count(connection: asyncpg.Connection, taken: Sequence[datetime]) -> None:
    again = await connection.fetch(_AGAIN_SQL, taken, timeout=COUNT_SECONDS)
    if again:
        days = [row["day"] for row in again]
        await connection.execute("DELETE FROM term_days WHERE day = ANY($1)", days, timeout=COUNT_SECONDS)
    hours = sorted({*taken, *(row["hour"] for row in again)})
    await connection.execute(_FORGET_SQL, hours, timeout=COUNT_SECONDS)
    # Pages go on changing the hours of ``again`` between two statements. Such an hour is stale and its day is counted
    # anew if it is in stream_hours, so that terms are counted of these hours only, and after them.
    counted = await connection.fetch(_STREAM_HOURS_SQL, hours, timeout=COUNT_SECONDS)
    for part in _slices([(row["hour"], row["tweets"]) for row in counted]):
        await connection.execute(_TERM_DAYS_SQL, part, timeout=COUNT_SECONDS)


def _slices(counted: Iterable[tuple[datetime, int]]) -> Iterator[list[datetime]]:
    part: list[datetime] = []
    size = 0
    for hour, tweets in sorted(counted):
        if part and size + tweets > SLICE_TWEETS:
            yield part
            part, size = [], 0
        part.append(hour)
        size += tweets
    if part:
        yield part


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // HOUR_SECONDS

"""SQL that counts tweets and terms. Windows are (since, until]: a tweet at ``until`` counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from castor_chassis import Postgres
from trending_service.signals.author_diversity import effective_authors_of
from trending_service.signals.model import (
    Baseline,
    BucketCount,
    Observed,
    StoredTweet,
    Stream,
    TermUse,
    Window,
    WindowStream,
)

_ORIGINALS = """
    originals AS MATERIALIZED (
        SELECT DISTINCT ON (text_hash) id, created_at, author FROM tweets
        WHERE created_at > $1 AND created_at <= $2
        ORDER BY text_hash, created_at, id)"""

_HOUR = "extract(hour FROM {at} AT TIME ZONE 'UTC')::int"
_WEEK_HOUR = "extract(dow FROM {at} AT TIME ZONE 'UTC')::int * 24 + " + _HOUR

_BASELINE = f"""
    count({{id}})::int AS total,
    count({{id}}) FILTER (WHERE {_HOUR} = ANY({{hours}}::int[]))::int AS same_hours,
    count({{id}}) FILTER (WHERE {_WEEK_HOUR} = ANY({{week_hours}}::int[]))::int AS same_week_hours"""

_WINDOW_SQL = f"""
WITH {_ORIGINALS}
SELECT (SELECT count(*) FROM tweets WHERE created_at > $1 AND created_at <= $2)::int AS stored,
       coalesce(sum(n), 0)::int AS tweets, coalesce(sum(n * ln(n)), 0)::float8 AS n_log_n
FROM (SELECT count(*) AS n FROM originals GROUP BY author) AS per_author
"""

_STREAM_BASELINE_SQL = (
    "SELECT "
    + _BASELINE.format(id="id", at="created_at", hours="$3", week_hours="$4")
    + """
FROM tweets WHERE created_at > $1 AND created_at <= $2
"""
)

_CANDIDATES_SQL = f"""
WITH {_ORIGINALS},
per_author AS (
    SELECT t.term, t.author, count(*) AS n
    FROM tweet_terms AS t JOIN originals AS o ON o.id = t.tweet_id AND o.created_at = t.created_at
    WHERE t.created_at > $1 AND t.created_at <= $2
    GROUP BY t.term, t.author),
observed AS (
    SELECT term, sum(n)::int AS tweets, sum(n * ln(n))::float8 AS n_log_n
    FROM per_author GROUP BY term HAVING sum(n) >= $3
    ORDER BY tweets DESC, term LIMIT $4)
SELECT o.term, o.tweets, o.n_log_n,
       {_BASELINE.format(id="b.tweet_id", at="b.created_at", hours="$6", week_hours="$7")}
FROM observed AS o
LEFT JOIN tweet_terms AS b ON b.term = o.term AND b.created_at > $5 AND b.created_at <= $1
GROUP BY o.term, o.tweets, o.n_log_n
ORDER BY o.term
"""

_TERM_USES_SQL = f"""
WITH {_ORIGINALS}
SELECT t.term, min(t.kind) AS kind, mode() WITHIN GROUP (ORDER BY t.spelling) AS spelling,
       array_agg(t.tweet_id) AS tweets
FROM tweet_terms AS t JOIN originals AS o ON o.id = t.tweet_id AND o.created_at = t.created_at
WHERE t.created_at > $1 AND t.created_at <= $2 AND t.term = ANY($3::text[])
GROUP BY t.term
"""

_TWEETS_SQL = """
SELECT id, created_at, author, label FROM tweets
WHERE created_at > $1 AND created_at <= $2 AND id = ANY($3::bigint[])
ORDER BY created_at, id
"""

_TOPIC_BASELINES_SQL = (
    "SELECT topic, "
    + _BASELINE.format(id="tweet_id", at="created_at", hours="$5", week_hours="$6")
    + """
FROM (
    SELECT DISTINCT m.topic, t.tweet_id, t.created_at
    FROM unnest($1::int[], $2::text[]) AS m (topic, term)
    JOIN tweet_terms AS t ON t.term = m.term AND t.created_at > $3 AND t.created_at <= $4) AS used
GROUP BY topic
"""
)

_TIMELINE_SQL = """
WITH stream AS (
    SELECT date_trunc($1, created_at, $2) AS at, count(*)::int AS total_tweets
    FROM tweets WHERE created_at >= $3 AND created_at < $4 AND created_at <= $5 GROUP BY 1),
topic AS (
    SELECT date_trunc($1, created_at, $2) AS at, count(DISTINCT tweet_id)::int AS tweets,
           count(DISTINCT author)::int AS authors
    FROM tweet_terms
    WHERE created_at >= $3 AND created_at < $4 AND created_at <= $5 AND term = ANY($6::text[]) GROUP BY 1)
SELECT at, coalesce(tweets, 0) AS tweets, coalesce(authors, 0) AS authors, total_tweets
FROM stream LEFT JOIN topic USING (at)
"""


class SignalRepository:
    """Counts tweets and their terms. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def window(self, window: Window) -> WindowStream:
        """Return the whole stream in the window and before it."""
        (row,) = await self._postgres.fetch(_WINDOW_SQL, window.since, window.until)
        (before,) = await self._postgres.fetch(
            _STREAM_BASELINE_SQL, window.baseline_since, window.since, window.hours, window.week_hours
        )
        authors = effective_authors_of(row["tweets"], row["n_log_n"])
        return WindowStream(row["stored"], Stream(row["tweets"], authors, _baseline(before)))

    async def candidates(self, window: Window, *, min_tweets: int, limit: int) -> dict[str, Observed]:
        """Return the most frequent terms of the window with their use before it, near-duplicates counted once."""
        rows = await self._postgres.fetch(
            _CANDIDATES_SQL, window.since, window.until, min_tweets, limit,
            window.baseline_since, window.hours, window.week_hours,
        )  # fmt: skip
        return {
            row["term"]: Observed(row["tweets"], effective_authors_of(row["tweets"], row["n_log_n"]), _baseline(row))
            for row in rows
        }

    async def uses(self, window: Window, terms: Sequence[str]) -> list[TermUse]:
        """Return which tweets of the window use each of ``terms``, near-duplicates left out."""
        rows = await self._postgres.fetch(_TERM_USES_SQL, window.since, window.until, terms)
        return [TermUse(row["term"], row["kind"], row["spelling"], frozenset(row["tweets"])) for row in rows]

    async def tweets(self, window: Window, ids: Collection[int]) -> dict[int, StoredTweet]:
        """Return these tweets of the window by id, oldest first."""
        rows = await self._postgres.fetch(_TWEETS_SQL, window.since, window.until, list(ids))
        return {row["id"]: StoredTweet(row["id"], row["created_at"], row["author"], row["label"]) for row in rows}

    async def topic_baselines(self, window: Window, topics: Sequence[Sequence[str]]) -> list[Baseline]:
        """Return for each topic, given as its terms, the tweets before the window that use any of them."""
        numbers = [number for number, terms in enumerate(topics) for _ in terms]
        flat = [term for terms in topics for term in terms]
        rows = await self._postgres.fetch(
            _TOPIC_BASELINES_SQL,
            numbers,
            flat,
            window.baseline_since,
            window.since,
            window.hours,
            window.week_hours,
        )
        found = {row["topic"]: _baseline(row) for row in rows}
        return [found.get(number, Baseline(0, 0, 0)) for number in range(len(topics))]

    async def timeline(
        self,
        terms: Sequence[str],
        *,
        step: str,
        zone: str,
        since: datetime,
        before: datetime,
        as_of: datetime,
    ) -> dict[datetime, BucketCount]:
        """Return the buckets of [since, before) up to ``as_of`` that hold any tweet, by their beginning."""
        rows = await self._postgres.fetch(_TIMELINE_SQL, step, zone, since, before, as_of, terms)
        return {row["at"]: BucketCount(row["at"], row["tweets"], row["authors"], row["total_tweets"]) for row in rows}


def _baseline(row: asyncpg.Record) -> Baseline:
    return Baseline(row["total"], row["same_hours"], row["same_week_hours"])

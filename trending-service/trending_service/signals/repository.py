"""SQL that reads the tweets of a window and their terms. Windows are (since, until]: a tweet at ``until`` counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg
import numpy as np

from castor_chassis import Postgres
from trending_service.signals.counts import Ints
from trending_service.signals.model import (
    BucketCount,
    SharedPosts,
    Spelling,
    Tally,
    TweetColumns,
    Window,
    WindowTweets,
    moment_of,
    usual_spellings,
)

# One row of arrays: to make a record of each tweet would take longer than to read them. int8send and timestamptz_send
# give eight bytes each, the latter microseconds since 2000.
_TWEETS_SQL = """
SELECT string_agg(int8send(id) || timestamptz_send(created_at) || int8send(text_hash), ''::bytea) AS numbers,
       array_agg(terms) AS terms, array_agg(author) AS authors, array_agg(voice) AS voices,
       array_agg(label) AS labels, array_agg(coalesce(is_retweet, voice <> author)) AS retweets
FROM (SELECT * FROM tweets WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3
      ORDER BY created_at DESC, id DESC LIMIT $4) AS newest
"""
_MICROSECONDS_OF_2000 = 946_684_800_000_000
"""Since 1970."""

_SPELLINGS_SQL = """
SELECT terms, spellings FROM tweets WHERE created_at > $1 AND created_at <= $2 AND id = ANY($3::bigint[])
"""
SPELLING_TWEETS = 50
"""So many tweets of a term, spread over the window, tell how it is spelt."""

_SHARED_SQL = """
SELECT string_agg(int8send(id) || timestamptz_send(created_at) || int8send(text_hash), ''::bytea) AS numbers,
       array_agg(author) AS authors, array_agg(voice) AS voices, array_agg(array_to_string(shared, E'\\n')) AS shared
FROM (SELECT * FROM tweets
      WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3 AND NOT coalesce(is_retweet, voice <> author)
      ORDER BY created_at DESC, id DESC LIMIT $4) AS newest
"""
MOST_SHARED = 200_000
"""So many tweets are looked at for coordination; of more the newest."""

# INTERSECT is hashed or sorted: a join could be a loop over both where the newest rows are not in the statistics yet.
_WRITTEN_SQL = """
SELECT author, text_hash FROM tweets
WHERE created_at > $1 AND created_at <= $2 AND voice = author AND is_retweet IS NOT TRUE
INTERSECT SELECT voice, text_hash FROM unnest($3::text[], $4::bigint[]) AS named (voice, text_hash)
"""

_TALLY_SQL = """
SELECT count(*)::int AS tweets, count(label)::int AS scored, count(*) FILTER (WHERE label = 'negative')::int AS negative
FROM (SELECT DISTINCT ON (text_hash) label FROM tweets WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3
      ORDER BY text_hash, label IS NULL, created_at, id) AS originals
"""

_TIMELINE_SQL = """
WITH stream AS (
    SELECT date_trunc($1, created_at, $2) AS at, count(*)::int AS total_tweets
    FROM tweets WHERE created_at >= $3 AND created_at < $4 AND created_at <= $5 AND scopes @> $7::text[] GROUP BY 1),
days AS (
    SELECT day FROM term_days WHERE term = ANY($6::text[]) AND day >= date_trunc('day', $3, 'UTC') AND day < $4
    UNION
    SELECT date_trunc('day', hour, 'UTC') FROM stale_hours WHERE hour >= date_trunc('hour', $3, 'UTC') AND hour < $4),
topic AS (
    SELECT date_trunc($1, w.created_at, $2) AS at, count(*)::int AS tweets, count(DISTINCT w.author)::int AS authors
    FROM days JOIN tweets AS w ON w.created_at >= days.day AND w.created_at < days.day + interval '24 hours'
    WHERE w.created_at >= $3 AND w.created_at < $4 AND w.created_at <= $5
      AND string_to_array(w.terms, E'\\n') && $6::text[] AND w.scopes @> $7::text[]
    GROUP BY 1)
SELECT at, coalesce(tweets, 0) AS tweets, coalesce(authors, 0) AS authors, total_tweets
FROM stream LEFT JOIN topic USING (at)
"""


class SignalRepository:
    """Reads tweets and their terms. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def cursor(self) -> int:
        """Return how far the feed is stored: as long as it is the same, so is every answer."""
        return int(await self._postgres.fetchval("SELECT next_cursor FROM feed_state"))

    async def window(self, window: Window, most: int | None = None) -> WindowTweets:
        """Return the tweets of a window, the newest ``most`` of them."""
        limit = None if most is None else most + 1
        row = await self._postgres.fetchrow(_TWEETS_SQL, window.since, window.until, list(window.scopes), limit)
        assert row is not None
        return _window(row, window.since, most)

    async def spellings(self, window: Window, terms: Mapping[str, Sequence[int]]) -> dict[str, Spelling]:
        """Return how each of ``terms`` is written most often in the tweets of a window that it is given with."""
        some = {number for ids in terms.values() for number in ids[:: 1 + len(ids) // SPELLING_TWEETS]}
        rows = await self._postgres.fetch(_SPELLINGS_SQL, window.since, window.until, sorted(some))
        return usual_spellings(((row["terms"], row["spellings"]) for row in rows), terms)

    async def shared(self, since: datetime, until: datetime, scopes: Sequence[str] = ()) -> SharedPosts:
        """Return the tweets of (since, until] that are no retweets, with what they may share with others.

        What X says counts; where nobody said, what the text says. Newest first, at most ``MOST_SHARED``.
        """
        row = await self._postgres.fetchrow(_SHARED_SQL, since, until, list(scopes), MOST_SHARED)
        assert row is not None
        return SharedPosts(*_numbers(row), *(row[name] or [] for name in ("authors", "voices", "shared")))

    async def written(
        self, since: datetime, until: datetime, named: Collection[tuple[str, int]]
    ) -> set[tuple[str, int]]:
        """Return those of ``named``, accounts and hashes of texts, that the account itself wrote in (since, until].

        Looked up in all tweets of the period, whatever scopes they have: an original need not name the place that those
        who repeat it name.
        """
        if not named:
            return set()
        voices, hashes = zip(*named, strict=True)
        return {tuple(row) for row in await self._postgres.fetch(_WRITTEN_SQL, since, until, voices, hashes)}

    async def unknown_scope(self, scopes: Sequence[str]) -> str | None:
        """Return the first of ``scopes`` that no stored tweet has, or None."""
        for scope in scopes:
            if not await self._postgres.fetchval("SELECT EXISTS (SELECT 1 FROM tweets WHERE scopes @> $1)", [scope]):
                return scope
        return None

    async def has_tweets(self, since: datetime, until: datetime) -> bool:
        """Tell whether any tweet of (since, until] is stored."""
        sql = "SELECT EXISTS (SELECT 1 FROM tweets WHERE created_at > $1 AND created_at <= $2)"
        return bool(await self._postgres.fetchval(sql, since, until))

    async def tally(self, since: datetime, until: datetime, scopes: Sequence[str]) -> Tally:
        """Return the tweets of (since, until] and how they feel; of near-duplicates the first scored one counts."""
        row = await self._postgres.fetchrow(_TALLY_SQL, since, until, list(scopes))
        assert row is not None
        return Tally(**dict(row))

    async def timeline(
        self,
        terms: Sequence[str],
        *,
        step: str,
        zone: str,
        since: datetime,
        before: datetime,
        as_of: datetime,
        scopes: Sequence[str] = (),
    ) -> dict[datetime, BucketCount]:
        """Return the buckets of [since, before) up to ``as_of`` that hold any tweet, by their beginning."""
        rows = await self._postgres.fetch(_TIMELINE_SQL, step, zone, since, before, as_of, terms, list(scopes))
        return {row["at"]: BucketCount(row["at"], row["tweets"], row["authors"], row["total_tweets"]) for row in rows}


def _window(columns: asyncpg.Record, since: datetime, most: int | None) -> WindowTweets:
    """Return the newest ``most`` of the tweets that ``_TWEETS_SQL`` returned."""
    ids, moments, hashes = _numbers(columns)
    stored = len(ids) if most is None else min(len(ids), most)
    if stored < len(ids):
        since = moment_of(int(moments[stored - 1]))
    # From the oldest to the newest, and of near-duplicates the oldest.
    kept = stored - 1 - np.sort(np.unique(hashes[:stored][::-1], return_index=True)[1])
    places = kept.tolist()
    terms, *texts = (
        [values[place] for place in places] if (values := columns[name]) else []
        for name in ("terms", "authors", "voices", "labels", "retweets")
    )
    return WindowTweets(stored, TweetColumns(ids[kept], moments[kept], *texts), terms, since)


def _numbers(columns: asyncpg.Record) -> tuple[Ints, Ints, Ints]:
    """Return the ids, the microseconds since 1970 and the hashes of the texts of tweets."""
    ids, moments, hashes = np.frombuffer(columns["numbers"] or b"", dtype=">i8").reshape(-1, 3).astype(np.int64).T
    return ids, moments + _MICROSECONDS_OF_2000, hashes

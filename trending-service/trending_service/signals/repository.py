"""SQL that reads the tweets of a window and their terms. Windows are (since, until]: a tweet at ``until`` counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from castor_chassis import Postgres
from trending_service.signals.model import (
    BucketCount,
    SharedPost,
    Spelling,
    StoredTweet,
    Tally,
    Window,
    WindowTweets,
)

_TWEETS_SQL = """
SELECT * FROM (
    SELECT DISTINCT ON (text_hash) id, created_at, author, voice, label FROM tweets
    WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3
    ORDER BY text_hash, created_at, id) AS originals
ORDER BY created_at, id
"""

_STORED_SQL = "SELECT count(*)::int FROM tweets WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3"

_TERMS_SQL = """
SELECT tweet_id, array_agg(term) AS terms FROM tweet_terms WHERE created_at > $1 AND created_at <= $2
GROUP BY created_at, tweet_id
"""

_SCOPED_TERMS_SQL = """
SELECT t.tweet_id, array_agg(t.term) AS terms
FROM tweet_terms AS t JOIN tweets AS w ON w.id = t.tweet_id AND w.created_at = t.created_at
WHERE t.created_at > $1 AND t.created_at <= $2 AND w.created_at > $1 AND w.created_at <= $2 AND w.scopes @> $3
GROUP BY t.created_at, t.tweet_id
"""

_SPELLINGS_SQL = """
SELECT term, min(kind) AS kind, mode() WITHIN GROUP (ORDER BY spelling) AS spelling
FROM tweet_terms WHERE created_at > $1 AND created_at <= $2 AND term = ANY($3::text[])
GROUP BY term
"""

_SHARED_SQL = """
SELECT w.id, w.created_at, w.author, w.text_hash, coalesce(t.terms, '{}') AS terms
FROM tweets AS w
LEFT JOIN (
    SELECT tweet_id, created_at, array_agg(term) AS terms FROM tweet_terms
    WHERE created_at > $1 AND created_at <= $2 AND kind IN ('hashtag', 'link')
    GROUP BY tweet_id, created_at) AS t ON t.tweet_id = w.id AND t.created_at = w.created_at
WHERE w.created_at > $1 AND w.created_at <= $2 AND w.scopes @> $3 AND w.voice = w.author
"""

_TALLY_SQL = """
SELECT count(DISTINCT text_hash)::int AS tweets, count(label)::int AS scored,
       count(*) FILTER (WHERE label = 'negative')::int AS negative
FROM tweets WHERE created_at > $1 AND created_at <= $2 AND scopes @> $3
"""

_TIMELINE_SQL = """
WITH stream AS (
    SELECT date_trunc($1, created_at, $2) AS at, count(*)::int AS total_tweets
    FROM tweets WHERE created_at >= $3 AND created_at < $4 AND created_at <= $5 AND scopes @> $7::text[] GROUP BY 1),
topic AS (
    SELECT date_trunc($1, created_at, $2) AS at, count(DISTINCT tweet_id)::int AS tweets,
           count(DISTINCT author)::int AS authors
    FROM tweet_terms AS t
    WHERE created_at >= $3 AND created_at < $4 AND created_at <= $5 AND term = ANY($6::text[])
      AND ($7::text[] = '{}' OR EXISTS (
          SELECT FROM tweets AS w WHERE w.id = t.tweet_id AND w.created_at = t.created_at AND w.scopes @> $7::text[]))
    GROUP BY 1)
SELECT at, coalesce(tweets, 0) AS tweets, coalesce(authors, 0) AS authors, total_tweets
FROM stream LEFT JOIN topic USING (at)
"""


class SignalRepository:
    """Reads tweets and their terms. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def window(self, window: Window) -> WindowTweets:
        """Return the tweets of a window."""
        asked = (window.since, window.until, list(window.scopes))
        stored = await self._postgres.fetchval(_STORED_SQL, *asked)
        rows = await self._postgres.fetch(_TWEETS_SQL, *asked)
        return WindowTweets(stored, [StoredTweet(*row) for row in rows])

    async def terms(self, window: Window) -> list[tuple[int, list[str]]]:
        """Return the terms of each tweet of a window: of copies too, which ``frequent_terms`` leaves out."""
        asked = (window.since, window.until)
        rows = (
            await self._postgres.fetch(_SCOPED_TERMS_SQL, *asked, list(window.scopes))
            if window.scopes
            else await self._postgres.fetch(_TERMS_SQL, *asked)
        )
        return [(row["tweet_id"], row["terms"]) for row in rows]

    async def spellings(self, window: Window, terms: Sequence[str]) -> dict[str, Spelling]:
        """Return how each of ``terms`` is written most often in the time of a window."""
        rows = await self._postgres.fetch(_SPELLINGS_SQL, window.since, window.until, terms)
        return {row["term"]: Spelling(*row) for row in rows}

    async def shared(self, since: datetime, until: datetime, scopes: Sequence[str] = ()) -> list[SharedPost]:
        """Return the tweets of (since, until] that are no retweets, with what they may share with others."""
        rows = await self._postgres.fetch(_SHARED_SQL, since, until, list(scopes))
        return [SharedPost(*row) for row in rows]

    async def unknown_scope(self, scopes: Sequence[str]) -> str | None:
        """Return the first of ``scopes`` that no stored tweet has, or None."""
        for scope in scopes:
            if not await self._postgres.fetchval("SELECT EXISTS (SELECT 1 FROM tweets WHERE scopes @> $1)", [scope]):
                return scope
        return None

    async def tally(self, since: datetime, until: datetime, scopes: Sequence[str]) -> Tally:
        """Return the tweets of (since, until] and how they feel; near-duplicates count once."""
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

"""SQL that stores pages of the feed, and how far the feed is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from castor_chassis import Postgres
from trending_service.signals.model import AppliedPage, FeedState, TweetTerms
from trending_service.text.terms import LINK

_COLUMNS = [
    "id", "created_at", "author", "voice", "label", "text_hash", "scopes", "terms", "spellings", "shared", "is_retweet"
]  # fmt: skip
SHARED = ("#", LINK)
"""Terms of these kinds are looked at for coordination: hashtags and links."""


class FeedRepository:
    """Stores pages of changes. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def state(self) -> FeedState:
        """Return how far the feed is applied."""
        (row,) = await self._postgres.fetch("SELECT next_cursor, tweets, caught_up_at FROM feed_state")
        return FeedState(row["next_cursor"], row["tweets"], row["caught_up_at"])

    async def caught_up(self) -> None:
        """Note that the end of the feed was reached just now."""
        await self._postgres.execute("UPDATE feed_state SET caught_up_at = now()")

    async def extent(self) -> tuple[datetime | None, datetime | None]:
        """Return the times of the oldest and the newest tweet."""
        row = await self._postgres.fetchrow("SELECT min(created_at) AS oldest, max(created_at) AS newest FROM tweets")
        assert row is not None
        return row["oldest"], row["newest"]

    async def apply(self, tweets: Sequence[TweetTerms], deleted: Collection[int], next_cursor: int) -> AppliedPage:
        """Store a page of changes and the cursor after it, together or not at all.

        ``tweets`` and ``deleted`` name a tweet once. A page that was applied before changes nothing.
        """
        async with self._postgres.transaction() as connection:
            (row,) = await connection.fetch("SELECT next_cursor, tweets FROM feed_state FOR UPDATE")
            if row["next_cursor"] >= next_cursor:
                return AppliedPage(row["tweets"])
            return await _apply(connection, tweets, deleted, next_cursor)


async def _apply(
    connection: asyncpg.Connection, tweets: Sequence[TweetTerms], deleted: Collection[int], next_cursor: int
) -> AppliedPage:
    ids = [tweet.id for tweet in tweets] + list(deleted)
    rows = await connection.fetch(f"SELECT {', '.join(_COLUMNS)} FROM tweets WHERE id = ANY($1::bigint[])", ids)
    known = {row["id"]: row for row in rows}
    same = [tweet for tweet in tweets if tweet.id in known and _is_same(known[tweet.id], tweet)]
    kept = {tweet.id for tweet in same}
    fresh = [tweet for tweet in tweets if tweet.id not in kept]
    gone = {number: row["created_at"] for number, row in known.items() if number not in kept}
    await _mark_stale(connection, [*gone.values(), *(tweet.created_at for tweet in fresh)])
    if gone:
        await _delete(connection, gone)
    await _correct_analyses(connection, [gone[number] for number in deleted if number in gone])
    if same:
        await _relabel(connection, same)
    terms = await _insert(connection, fresh)
    total = await connection.fetchval(
        "UPDATE feed_state SET next_cursor = $1, tweets = tweets + $2 RETURNING tweets",
        next_cursor,
        len(fresh) - len(gone),
    )
    added = sum(tweet.id not in known for tweet in fresh)
    return AppliedPage(total, added, len(tweets) - added, sum(number in known for number in deleted), terms)


def _is_same(stored: asyncpg.Record, tweet: TweetTerms) -> bool:
    """Tell whether at most the label of a stored tweet changed, or whether it is a retweet became known."""
    changed = [name for name, old, new in zip(_COLUMNS, stored, _row(tweet), strict=True) if old != new]
    unknown = stored["is_retweet"] is None or tweet.is_retweet is None
    return all(name == "label" or (name == "is_retweet" and unknown) for name in changed)


async def _mark_stale(connection: asyncpg.Connection, moments: Collection[datetime]) -> None:
    # An update of the row, not nothing, when it is there: it makes a roll-up of the hour wait for this page.
    hours = sorted({moment.replace(minute=0, second=0, microsecond=0) for moment in moments})
    await connection.execute(
        "INSERT INTO stale_hours (hour) SELECT unnest($1::timestamptz[]) "
        "ON CONFLICT (hour) DO UPDATE SET touched_at = now()",
        hours,
    )


async def _delete(connection: asyncpg.Connection, gone: dict[int, datetime]) -> None:
    await connection.execute(
        "DELETE FROM tweets USING unnest($1::bigint[], $2::timestamptz[]) AS gone (tweet, moment) "
        "WHERE tweets.id = gone.tweet AND tweets.created_at = gone.moment",
        list(gone),
        list(gone.values()),
    )


async def _correct_analyses(connection: asyncpg.Connection, erased: Sequence[datetime]) -> None:
    """Make the analyses due that may have counted tweets which are erased now."""
    if erased:
        await connection.execute(
            "UPDATE trends SET analysis_due_at = now() WHERE scope = '' AND started_at <= $2 AND last_seen_at >= $3 "
            "AND EXISTS (SELECT FROM unnest($1::timestamptz[]) AS at WHERE at BETWEEN started_at AND last_seen_at)",
            erased, max(erased), min(erased),
        )  # fmt: skip


async def _relabel(connection: asyncpg.Connection, tweets: Sequence[TweetTerms]) -> None:
    await connection.execute(
        "UPDATE tweets SET label = new.label, is_retweet = coalesce(tweets.is_retweet, new.is_retweet) "
        "FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[]) "
        "AS new (id, created_at, label, is_retweet) "
        "WHERE tweets.id = new.id AND tweets.created_at = new.created_at AND (tweets.label IS DISTINCT FROM new.label "
        "OR tweets.is_retweet IS NULL AND new.is_retweet IS NOT NULL)",
        [tweet.id for tweet in tweets],
        [tweet.created_at for tweet in tweets],
        [tweet.label for tweet in tweets],
        [tweet.is_retweet for tweet in tweets],
    )


async def _insert(connection: asyncpg.Connection, tweets: Sequence[TweetTerms]) -> int:
    await connection.copy_records_to_table("tweets", records=[_row(tweet) for tweet in tweets], columns=_COLUMNS)
    return sum(len(tweet.terms) for tweet in tweets)


def _row(tweet: TweetTerms) -> tuple[object, ...]:
    # A spelling that is the key itself, as of most words, is an empty line.
    spellings = ["" if key == spelling else spelling for key, spelling in tweet.terms.items()]
    shared = [key for key in tweet.terms if key.startswith(SHARED)]
    return (
        tweet.id, tweet.created_at, tweet.author, tweet.voice, tweet.label, tweet.text_hash, list(tweet.scopes),
        "\n".join(tweet.terms), "\n".join(spellings), shared, tweet.is_retweet,
    )  # fmt: skip

"""What former releases stored and this one does not, in PostgreSQL: removed once after an upgrade, by batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castor_chassis import Postgres
from twitter_service.tweets.feed_repository import lock_feed

_NEXT = "SELECT id, deleted, raw IS NOT NULL AS has_json FROM tweets WHERE id > $1 ORDER BY id LIMIT $2"

# Nothing reads the JSON, so what only looks as if it held another tweet may go as well.
_FORGET_HOLDING = """
DELETE FROM tweet_raw WHERE tweet_id = ANY($1::bigint[]) AND (
    raw LIKE '%"retweeted_status"%' OR raw LIKE '%"quoted_status"%'
    OR (raw ~ '"(quoted|replied_to|retweeted)"' AND raw ~ '"text".*"text"')
)
"""
_FORGET_ERASED = "DELETE FROM {} WHERE tweet_id = ANY($1::bigint[])"
_FORGET_JSON = "UPDATE tweets SET raw = NULL WHERE id = ANY($1::bigint[])"

# As in the migration: those that came with a later version count for the first one.
_MOVE_RETWEETS = """
WITH versions AS (
    SELECT version_id, id AS tweet_id FROM tweets WHERE id = ANY($1::bigint[]) AND version_id IS NOT NULL
    UNION
    SELECT version_id, tweet_id FROM tweet_versions WHERE tweet_id = ANY($1::bigint[]) AND version_id <> tweet_id
), moved AS (
    DELETE FROM retweets r USING versions v WHERE r.original_id = v.version_id
    RETURNING v.tweet_id, r.retweet_id, r.author_id, r.created_at, r.deleted
)
INSERT INTO retweets (original_id, retweet_id, author_id, created_at, deleted)
SELECT tweet_id, retweet_id, CASE WHEN NOT bool_or(deleted) THEN max(author_id) END, min(created_at), bool_or(deleted)
FROM moved GROUP BY tweet_id, retweet_id
ON CONFLICT (original_id, retweet_id) DO UPDATE
SET deleted = retweets.deleted OR excluded.deleted,
    author_id = CASE WHEN NOT (retweets.deleted OR excluded.deleted) THEN retweets.author_id END
"""


class CleaningRepository:
    """Raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def clean_next(self, limit: int) -> bool:
        """Clean the next ``limit`` tweets; False when nothing is due, or nothing is left.

        The JSON of a tweet goes where it holds another tweet, and with the words of tweets that were erased. Retweets
        of a later version count for the first one.
        """
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            through = await connection.fetchval("SELECT through FROM rollout_cleaning WHERE due_at <= now()")
            rows = [] if through is None else await connection.fetch(_NEXT, through, limit)
            if rows:
                await _clean(connection, rows)
                await connection.execute("UPDATE rollout_cleaning SET through = $1", rows[-1]["id"])
            elif through is not None:
                await connection.execute("DELETE FROM rollout_cleaning")
            return bool(rows)


async def _clean(connection: Any, rows: Sequence[Any]) -> None:
    erased = [row["id"] for row in rows if row["deleted"]]
    ids = [row["id"] for row in rows]
    await connection.execute(_MOVE_RETWEETS, ids)
    await connection.execute(_FORGET_HOLDING, ids)
    for table in ("tweet_raw", "tweet_search"):
        await connection.execute(_FORGET_ERASED.format(table), erased)
    await connection.execute(_FORGET_JSON, [row["id"] for row in rows if row["has_json"]])

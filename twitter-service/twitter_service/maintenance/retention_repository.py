"""Erasure of tweets by age, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from castor_chassis import Postgres
from twitter_service.tweets.erasure_repository import erase
from twitter_service.tweets.feed_repository import lock_feed
from twitter_service.tweets.model import snowflake_of

DEPENDENT_TABLES = ("tweet_raw", "tweet_search", "tweet_entities")

# A partition whose every id was handed out before the horizon; the default one has no such bound.
_EXPIRED_PARTITIONS = r"""
SELECT parent.relname AS parent, part.relname AS part
FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
WHERE parent.relname = ANY($1::text[])
  AND substring(pg_get_expr(part.relpartbound, part.oid) FROM $re$TO \('?(\d+)'?\)$re$)::bigint <= $2
ORDER BY 1, 2
"""

# Authors without any tweet left are deleted, a batch at a time.
_DELETE_AUTHORS = """
DELETE FROM authors WHERE key IN (
    SELECT a.key FROM authors a
    WHERE NOT EXISTS (
        SELECT FROM tweets t WHERE lower(t.username) = lower(a.username) AND NOT t.deleted
    ) AND a.observed_at < now() - interval '1 hour' LIMIT 500
)
"""


class RetentionRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def erase_before(self, horizon: datetime, limit: int) -> int:
        """Erase at most ``limit`` tweets written before ``horizon``, oldest first; return how many."""
        async with self._postgres.transaction() as connection:
            head, _ = await lock_feed(connection)
            rows = await connection.fetch(
                "SELECT id FROM tweets WHERE created_at < $1 AND NOT deleted ORDER BY created_at, id LIMIT $2",
                horizon,
                limit,
            )
            ids = [row["id"] for row in rows]
            if ids:
                await erase(connection, ids, head)
            return len(ids)

    async def drop_before(self, horizon: datetime, tombstone_horizon: datetime) -> list[str]:
        """Empty whole partitions and return their names.

        Those of the dependent tables are emptied up to ``horizon``. A partition of tweets is emptied up to
        ``tombstone_horizon``, and only where nothing but tombstones is left in it.
        """
        await self._postgres.execute("DELETE FROM retweets WHERE created_at < $1", horizon)
        await self._postgres.execute(_DELETE_AUTHORS)
        dependent = await self._postgres.fetch(_EXPIRED_PARTITIONS, list(DEPENDENT_TABLES), snowflake_of(horizon))
        tweets = await self._postgres.fetch(_EXPIRED_PARTITIONS, ["tweets"], snowflake_of(tombstone_horizon))
        dropped = []
        for part in (*(row["part"] for row in dependent), *(row["part"] for row in tweets)):
            if await self._empty(part, is_tweets=not part.startswith(DEPENDENT_TABLES)):
                dropped.append(part)
        return dropped

    async def _empty(self, part: str, *, is_tweets: bool) -> bool:
        # Names come from the catalogue, not from a caller. Statistics would be cheaper to ask, but an empty partition
        # that was once vacuumed counts as empty in them long after rows came.
        if not await self._postgres.fetchval(f"SELECT EXISTS (SELECT FROM {part})"):
            return False
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            if is_tweets and await connection.fetchval(f"SELECT EXISTS (SELECT FROM {part} WHERE NOT deleted)"):
                return False
            await connection.execute(f"TRUNCATE {part}")
            return True

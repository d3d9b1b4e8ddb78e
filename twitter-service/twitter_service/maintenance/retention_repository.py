"""Erasure of tweets by age, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from castor_chassis import Postgres, affected_rows
from twitter_service.tweets.erasure_repository import AUTHOR_KEY, erase
from twitter_service.tweets.feed_repository import lock_feed
from twitter_service.tweets.model import snowflake_of

DEPENDENT_TABLES = ("tweet_raw", "tweet_search", "tweet_entities")

# A partition whose every id was handed out before the horizon; the default one has no such bound.
_EXPIRED_PARTITIONS = r"""
SELECT part.relname AS part
FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
WHERE parent.relname = ANY($1::text[])
  AND substring(pg_get_expr(part.relpartbound, part.oid) FROM $re$TO \('?(\d+)'?\)$re$)::bigint <= $2
ORDER BY 1
"""

# Keys are looked at in order, a batch at a time, so that no statement takes longer the more authors there are.
_DELETE_AUTHORS = f"""
WITH batch AS MATERIALIZED (
    SELECT key, '@' || lower(username) AS handle FROM authors WHERE key > $1 ORDER BY key LIMIT $2
), gone AS (
    DELETE FROM authors WHERE observed_at < now() - interval '1 hour' AND key IN (
        SELECT b.key FROM batch b
        WHERE NOT EXISTS (SELECT FROM tweets t WHERE {AUTHOR_KEY} = b.key AND NOT t.deleted)
        AND NOT EXISTS (SELECT FROM tweets t WHERE {AUTHOR_KEY} = b.handle AND NOT t.deleted)
    )
)
SELECT max(key) FROM batch
"""

_DELETE_RETWEETS = """
DELETE FROM retweets WHERE (original_id, retweet_id) IN (
    SELECT original_id, retweet_id FROM retweets WHERE created_at < $1 ORDER BY created_at LIMIT $2
)
"""

_DELETE_ERASED_IDS = """
DELETE FROM erased_ids WHERE id IN (
    SELECT id FROM erased_ids WHERE erased_at < $1 AND id < $2 ORDER BY erased_at LIMIT $3
)
"""

_DELETE_SEARCHES = """
DELETE FROM x_searches WHERE id IN (SELECT id FROM x_searches WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)
"""
_DELETE_IMPORTS = """
DELETE FROM imports WHERE id IN (
    SELECT id FROM imports WHERE finished_at < $1 AND state <> 'running' ORDER BY finished_at LIMIT $2
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

    async def delete_retweets_before(self, horizon: datetime, limit: int) -> int:
        """Delete at most ``limit`` retweets made before ``horizon``, oldest first; return how many."""
        return affected_rows(await self._postgres.execute(_DELETE_RETWEETS, horizon, limit))

    async def delete_erased_ids_before(self, horizon: datetime, erased_before: datetime, limit: int) -> int:
        """Delete at most ``limit`` ids up to ``horizon`` that were erased before ``erased_before``; return how many."""
        return affected_rows(
            await self._postgres.execute(_DELETE_ERASED_IDS, erased_before, snowflake_of(horizon), limit)
        )

    async def delete_authors(self, limit: int) -> None:
        """Delete the authors without any tweet left, ``limit`` looked at in a statement; new ones stay."""
        last: str | None = ""
        while last is not None:
            last = await self._postgres.fetchval(_DELETE_AUTHORS, last, limit)

    async def delete_jobs_before(self, moment: datetime, limit: int) -> int:
        """Delete at most ``limit`` searches, and as many imports, that ended before ``moment``; return how many."""
        searches = affected_rows(await self._postgres.execute(_DELETE_SEARCHES, moment, limit))
        return searches + affected_rows(await self._postgres.execute(_DELETE_IMPORTS, moment, limit))

    async def drop_before(self, horizon: datetime, erased_before: datetime) -> list[str]:
        """Empty whole partitions of ids up to ``horizon`` and return their names.

        A partition of tweets is emptied where nothing is left in it but tombstones from before ``erased_before``; those
        of the dependent tables where no tweet is left.
        """
        parts = await self._postgres.fetch(_EXPIRED_PARTITIONS, ["tweets"], snowflake_of(horizon))
        dropped = []
        for part in (row["part"] for row in parts):
            # Names come from the catalogue, not from a caller.
            for table in DEPENDENT_TABLES:
                if await self._empty(table + part.removeprefix("tweets"), f"{part} WHERE NOT deleted"):
                    dropped.append(table + part.removeprefix("tweets"))
            if await self._empty(part, f"{part} WHERE NOT deleted OR erased_at > $1", erased_before):
                dropped.append(part)
        return dropped

    async def _empty(self, part: str, kept: str, *args: datetime) -> bool:
        """Empty a partition unless it is empty or anything is left in ``kept``."""
        # Statistics would be cheaper to ask, but an empty partition that was once vacuumed counts as empty in them long
        # after rows came.
        if not await self._postgres.fetchval(f"SELECT EXISTS (SELECT FROM {part})"):
            return False
        is_kept = f"SELECT EXISTS (SELECT FROM {kept})"
        # Before the lock, for which other writers wait: to look through tombstones takes a while.
        if await self._postgres.fetchval(is_kept, *args):
            return False
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            if await connection.fetchval(is_kept, *args):
                return False
            await connection.execute(f"TRUNCATE {part}")
            return True

"""The full-text index of tweets in PostgreSQL (``tweet_search``), which follows the changes of the feed."""

from __future__ import annotations

from castor_chassis import Postgres

# A change that did not touch the text finds its version here already. The lock of search_state orders replicas.
# A tweet that is erased while its text is read here still gets its words; its erasure is a later change, which removes
# them.
_INDEX = """
WITH changes AS (
    SELECT id, created_at, coalesce(version_id, id) AS version_id, text, change_seq, deleted
    FROM tweets WHERE change_seq > $1 ORDER BY change_seq LIMIT $2
), stored AS (
    INSERT INTO tweet_search AS s (tweet_id, created_at, version_id, search)
    SELECT w.id, w.created_at, w.version_id, to_tsvector('castor_es', w.text) FROM changes w
    WHERE NOT w.deleted
      AND NOT EXISTS (SELECT FROM tweet_search k WHERE k.tweet_id = w.id AND k.version_id = w.version_id)
    ON CONFLICT (tweet_id) DO UPDATE SET version_id = excluded.version_id, search = excluded.search
    RETURNING 1
), removed AS (
    DELETE FROM tweet_search s USING changes w WHERE s.tweet_id = w.id AND w.deleted
)
SELECT count(*) AS seen, max(change_seq) AS through, (SELECT count(*) FROM stored) AS stored FROM changes
"""


class SearchIndexRepository:
    """Raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add_next(self, limit: int) -> tuple[int, int]:
        """Index the next ``limit`` changes; return how many there were and how many changes are left."""
        async with self._postgres.transaction() as connection:
            through = await connection.fetchval("SELECT through FROM search_state FOR UPDATE")
            # Read before the changes: where these are fewer than the limit, every number up to the head is indexed.
            head: int = await connection.fetchval("SELECT head FROM feed_state")
            row = await connection.fetchrow(_INDEX, through, limit)
            assert row is not None
            seen, last = int(row["seen"]), int(row["through"] or through)
            reached = max(last, head) if seen < limit else last
            if reached != through:
                await connection.execute("UPDATE search_state SET through = $1", reached)
            return seen, head - reached

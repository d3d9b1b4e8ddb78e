"""Stored tweets and the entities that they count for, in PostgreSQL: matched again when entities change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castor_chassis import Postgres, affected_rows
from twitter_service.entities.repository import terms_of
from twitter_service.matching.entities import Matcher
from twitter_service.tweets.feed_repository import lock_feed

_MAX_ID = 2**63 - 1

# The entities that have come equally far, those that are furthest behind first.
_NEXT_ENTITIES = """
SELECT id, handles, aliases, hashtags, deleted, matched_through FROM entities
WHERE matching AND matched_through = (SELECT min(matched_through) FROM entities WHERE matching)
"""
_NEXT_TWEETS = "SELECT id, username, text FROM tweets WHERE id > $1 AND NOT deleted ORDER BY id LIMIT $2"
_RELINK = """
WITH matched AS (
    SELECT w.tweet_id, w.entity_id, t.created_at
    FROM unnest($1::bigint[], $2::text[]) AS w(tweet_id, entity_id) JOIN tweets t ON t.id = w.tweet_id
), removed AS (
    DELETE FROM tweet_entities e
    WHERE e.entity_id = ANY($3::text[]) AND e.tweet_id > $4 AND e.tweet_id <= $5
      AND NOT EXISTS (SELECT FROM matched w WHERE w.tweet_id = e.tweet_id AND w.entity_id = e.entity_id)
    RETURNING e.tweet_id
), added AS (
    INSERT INTO tweet_entities (tweet_id, entity_id, created_at) SELECT * FROM (
        SELECT tweet_id, entity_id, created_at FROM matched
    ) w ON CONFLICT DO NOTHING
    RETURNING tweet_id
), changed AS (
    SELECT tweet_id, row_number() OVER (ORDER BY tweet_id) AS number
    FROM (SELECT tweet_id FROM removed UNION SELECT tweet_id FROM added) either
)
UPDATE tweets t SET change_seq = $6 + changed.number FROM changed WHERE t.id = changed.tweet_id
"""


class RematchRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def rematch_next(self, limit: int) -> int | None:
        """Match the next ``limit`` stored tweets against entities that changed.

        Returns how many tweets changed, each of which gets a new number; None when nothing is left to do.
        Safe beside imports and other replicas: all hold the feed's lock.
        """
        async with self._postgres.transaction() as connection:
            head, _ = await lock_feed(connection)
            entities = await connection.fetch(_NEXT_ENTITIES)
            if not entities:
                return None
            ids, after = [row["id"] for row in entities], entities[0]["matched_through"]
            tweets = await connection.fetch(_NEXT_TWEETS, after, limit)
            is_last = len(tweets) < limit
            through = _MAX_ID if is_last else tweets[-1]["id"]
            changed = affected_rows(
                await connection.execute(_RELINK, *_links(entities, tweets), ids, after, through, head)
            )
            await connection.execute("UPDATE feed_state SET head = head + $1", changed)
            await connection.execute(
                "UPDATE entities SET matched_through = $2, matching = $3 WHERE id = ANY($1)", ids, through, not is_last
            )
            await connection.execute("DELETE FROM entities WHERE deleted AND NOT matching")
            return changed

    async def matching_ids(self) -> list[str]:
        """Return the ids of entities whose stored tweets are still being matched."""
        return [row["id"] for row in await self._postgres.fetch("SELECT id FROM entities WHERE matching")]


def _links(entities: Sequence[Any], tweets: Sequence[Any]) -> tuple[list[int], list[str]]:
    """Return the ids of tweets and, beside each, of an entity that it counts for."""
    matcher = Matcher(terms_of(*row[:4]) for row in map(tuple, entities) if not row[4])
    pairs = [(t["id"], entity) for t in tweets for entity in matcher.entities_of(t["username"], t["text"])]
    return [tweet_id for tweet_id, _ in pairs], [entity for _, entity in pairs]

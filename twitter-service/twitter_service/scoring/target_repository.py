"""The sentiment of tweets towards their entities in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from castor_chassis import Postgres
from twitter_service.matching.entities import Terms
from twitter_service.scoring.score_repository import fetch_planned
from twitter_service.tweets.feed_repository import lock_feed

MAX_COUNTED = 1_000_000

_PENDING = """
SELECT e.tweet_id, e.entity_id, coalesce(t.version_id, t.id) AS version_id, t.text, t.lang, t.needs_score,
       n.handles, n.aliases, n.hashtags, i.origin_request_id, i.origin_traceparent
FROM (SELECT tweet_id, entity_id, created_at FROM tweet_entities WHERE needs_target
      ORDER BY created_at, tweet_id, entity_id LIMIT $1) e
JOIN tweets t ON t.id = e.tweet_id
LEFT JOIN entities n ON n.id = e.entity_id
LEFT JOIN imports i ON i.id = t.import_id
ORDER BY e.created_at, e.tweet_id, e.entity_id
"""

# An edit meanwhile: the new text is asked about later.
_SAVE = """
WITH saved AS (
    UPDATE tweet_entities e
    SET needs_target = false, label = s.label, positive = s.positive, neutral = s.neutral, negative = s.negative,
        basis = s.basis, model = $9
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::float8[], $6::float8[], $7::float8[],
                $8::text[]) AS s(tweet_id, entity_id, version_id, label, positive, neutral, negative, basis)
    JOIN tweets t ON t.id = s.tweet_id AND coalesce(t.version_id, t.id) = s.version_id
    WHERE e.tweet_id = s.tweet_id AND e.entity_id = s.entity_id AND e.needs_target
      AND e.tweet_id = ANY($1::bigint[]) AND t.id = ANY($1::bigint[])
    RETURNING 1
)
SELECT count(*) FROM saved
"""

_NOTE_STRAYS = """
UPDATE sentiment_versions SET strays = true WHERE NOT strays AND $1 <> coalesce(coming_target_model, target_model)
"""


@dataclass(frozen=True)
class PendingTarget:
    """A tweet and one of its entities, towards which its sentiment is not known yet."""

    tweet_id: int
    entity_id: str
    version_id: int
    text: str
    lang: str | None
    has_sentiment: bool
    """True once it is settled whether the text as a whole has a sentiment, and which."""
    terms: Terms
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class TargetSentiment:
    """The sentiment towards the entity of ``of``; the rest is None where the text does not name the entity."""

    of: PendingTarget
    label: str | None = None
    positive: float | None = None
    neutral: float | None = None
    negative: float | None = None
    basis: str | None = None


class TargetRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def pending(self, limit: int) -> list[PendingTarget]:
        """Return the pairs of a tweet and an entity that wait longest, by the age of the tweet."""
        return [pending_target(row) for row in await fetch_planned(self._postgres, _PENDING, limit)]

    async def count_pending(self) -> int:
        """Return how many wait; at most a million are counted."""
        count: int = await self._postgres.fetchval(
            f"SELECT count(*) FROM (SELECT FROM tweet_entities WHERE needs_target LIMIT {MAX_COUNTED}) waiting"
        )
        return count

    async def save(self, found: Sequence[TargetSentiment], model: str | None) -> int:
        """Store what was found, and return how many were new."""
        columns: list[list[Any]] = [
            *([getattr(one.of, name) for one in found] for name in ("tweet_id", "entity_id", "version_id")),
            *([getattr(one, name) for one in found] for name in ("label", "positive", "neutral", "negative", "basis")),
        ]
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            saved: int = await connection.fetchval(_SAVE, *columns, model)
            if model is not None:
                await connection.execute(_NOTE_STRAYS, model)
            return saved


def pending_target(row: Any) -> PendingTarget:
    """Return a row with the columns of ``_PENDING``, by name."""
    terms = Terms(row["entity_id"], *(tuple(row[name] or ()) for name in ("handles", "aliases", "hashtags")))
    key = (row["tweet_id"], row["entity_id"], row["version_id"], row["text"], row["lang"], not row["needs_score"])
    return PendingTarget(*key, terms, row["origin_request_id"], row["origin_traceparent"])

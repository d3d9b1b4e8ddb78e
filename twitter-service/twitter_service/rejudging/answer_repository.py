"""Answers of the coming version of the sentiment model in PostgreSQL: what is missing, and putting them in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castor_chassis import Postgres
from twitter_service.rejudging.model import RejudgingState
from twitter_service.scoring.score_repository import TweetScore, UnscoredTweet, fetch_planned, score_columns
from twitter_service.scoring.target_repository import PendingTarget, TargetSentiment, pending_target
from twitter_service.tweets.feed_repository import lock_feed

_STALE_TEXTS = """
SELECT id, coalesce(version_id, id), text, lang, NULL::text, NULL::text FROM tweets
WHERE id > $2 AND NOT needs_score AND label IS NOT NULL AND model IS DISTINCT FROM $1
ORDER BY id LIMIT $3
"""
_STALE_TARGETS = """
SELECT e.tweet_id, e.entity_id, coalesce(t.version_id, t.id) AS version_id, t.text, t.lang, t.needs_score,
       n.handles, n.aliases, n.hashtags, NULL::text AS origin_request_id, NULL::text AS origin_traceparent
FROM (SELECT tweet_id, entity_id FROM tweet_entities
      WHERE (tweet_id, entity_id) > ($2, $3) AND NOT needs_target AND model IS DISTINCT FROM $1 AND model IS NOT NULL
      ORDER BY tweet_id, entity_id LIMIT $4) e
JOIN tweets t ON t.id = e.tweet_id
LEFT JOIN entities n ON n.id = e.entity_id
ORDER BY e.tweet_id, e.entity_id
"""

_COLLECT_TEXTS = """
WITH saved AS (
    INSERT INTO rejudged_texts (tweet_id, version_id, positive, neutral, negative, label, reason)
    SELECT t.id, s.version_id, s.positive, s.neutral, s.negative, s.label, s.reason
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::float8[], $6::text[], $7::text[])
         AS s(id, version_id, positive, neutral, negative, label, reason)
    JOIN tweets t ON t.id = s.id AND t.id = ANY($1::bigint[]) AND coalesce(t.version_id, t.id) = s.version_id
    WHERE NOT t.needs_score AND NOT t.deleted
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM saved
"""
_COLLECT_TARGETS = """
WITH saved AS (
    INSERT INTO rejudged_targets (tweet_id, entity_id, version_id, positive, neutral, negative, label, basis)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::float8[], $5::float8[], $6::float8[], $7::text[],
                         $8::text[])
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM saved
"""

# A tweet that was edited, or judged anew under the version that counts, keeps that.
_REPLACE_TEXTS = """
WITH moved AS (
    DELETE FROM rejudged_texts WHERE tweet_id = ANY($1::bigint[]) RETURNING *
), numbered AS (
    SELECT m.*, row_number() OVER (ORDER BY m.tweet_id) AS number FROM moved m
), saved AS (
    UPDATE tweets t
    SET positive = n.positive, neutral = n.neutral, negative = n.negative, label = n.label, model = $2,
        scored_at = CASE WHEN n.label IS NULL THEN NULL ELSE now() END, score_error = n.reason,
        change_seq = $3 + n.number
    FROM numbered n
    WHERE t.id = n.tweet_id AND t.id = ANY($1::bigint[]) AND coalesce(t.version_id, t.id) = n.version_id
      AND NOT t.needs_score AND NOT t.deleted AND t.model IS DISTINCT FROM $2
    RETURNING t.change_seq, t.label
)
SELECT max(change_seq), count(*) FILTER (WHERE label IS NULL) FROM saved
"""
_REPLACE_TARGETS = """
WITH moved AS (
    DELETE FROM rejudged_targets WHERE (tweet_id, entity_id) IN (
        SELECT tweet_id, entity_id FROM rejudged_targets ORDER BY tweet_id, entity_id LIMIT $1
    ) RETURNING *
), saved AS (
    UPDATE tweet_entities e
    SET positive = m.positive, neutral = m.neutral, negative = m.negative, label = m.label, basis = m.basis, model = $2
    FROM moved m JOIN tweets t ON t.id = m.tweet_id AND coalesce(t.version_id, t.id) = m.version_id
    WHERE e.tweet_id = m.tweet_id AND e.entity_id = m.entity_id AND NOT e.needs_target
      AND e.model IS DISTINCT FROM $2
)
SELECT count(*) FROM moved
"""

_COUNT = """
UPDATE feed_state SET head = coalesce($1, head), scored = scored - $2, unscorable = unscorable + $2
"""


class AnswerRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def stale_texts(self, state: RejudgingState, limit: int) -> list[UnscoredTweet]:
        """Return the next tweets whose sentiment is of another version than the coming one, by id."""
        assert state.coming is not None
        rows = await fetch_planned(self._postgres, _STALE_TEXTS, state.coming.texts, state.through_tweet, limit)
        return [UnscoredTweet(*row) for row in rows]

    async def stale_targets(self, state: RejudgingState, limit: int) -> list[PendingTarget]:
        """Return the next pairs that were judged by another version than the coming one, by tweet and entity."""
        assert state.coming is not None
        through = state.through_tweet, state.through_entity
        rows = await fetch_planned(self._postgres, _STALE_TARGETS, state.coming.targets, *through, limit)
        return [pending_target(row) for row in rows]

    async def collect_texts(self, scores: Sequence[TweetScore]) -> int:
        """Keep scores beside those that count, and return how many; those of edited and erased tweets are dropped."""
        return await self._count(_COLLECT_TEXTS, *score_columns(scores), [None] * len(scores))

    async def collect_refusal(self, tweet: UnscoredTweet, reason: str) -> int:
        """Keep that a text was refused."""
        columns = ([value] for value in (tweet.id, tweet.version_id, None, None, None, None, reason[:500]))
        return await self._count(_COLLECT_TEXTS, *columns)

    async def collect_targets(self, found: Sequence[TargetSentiment]) -> int:
        """Keep sentiments towards entities beside those that count, and return how many."""
        keys = [[getattr(one.of, name) for one in found] for name in ("tweet_id", "entity_id", "version_id")]
        names = ("positive", "neutral", "negative", "label", "basis")
        return await self._count(_COLLECT_TARGETS, *keys, *([getattr(one, name) for one in found] for name in names))

    async def replace(self, state: RejudgingState, limit: int) -> bool:
        """Put the next of the collected answers in the place of earlier ones; return False where none was left."""
        assert state.active is not None
        async with self._postgres.transaction() as connection:
            head, _ = await lock_feed(connection)
            if await _replace_texts(connection, state.active.texts, head, limit):
                return True
            if await connection.fetchval(_REPLACE_TARGETS, limit, state.active.targets):
                return True
            await connection.execute("UPDATE sentiment_versions SET phase = 'idle'")
            return False

    async def _count(self, sql: str, *columns: list[Any]) -> int:
        saved: int = await self._postgres.fetchval(sql, *columns)
        return saved


async def _replace_texts(connection: Any, model: str, head: int, limit: int) -> int:
    rows = await connection.fetch("SELECT tweet_id FROM rejudged_texts ORDER BY tweet_id LIMIT $1", limit)
    if rows:
        last, refused = await connection.fetchrow(_REPLACE_TEXTS, [row[0] for row in rows], model, head)
        await connection.execute(_COUNT, last, refused)
    return len(rows)

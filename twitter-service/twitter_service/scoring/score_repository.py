"""The sentiment of texts in PostgreSQL: which tweets wait for it, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from castor_chassis import Postgres, affected_rows
from twitter_service.tweets.feed_repository import lock_feed

_UNSCORED = """
SELECT t.id, t.text, t.lang, i.origin_request_id, i.origin_traceparent
FROM tweets t LEFT JOIN imports i ON i.id = t.import_id
WHERE t.needs_score AND t.id <> ALL($1::bigint[])
ORDER BY t.created_at, t.id LIMIT $2
"""

_SAVE = """
WITH saved AS (
    UPDATE tweets t
    SET positive = s.positive, neutral = s.neutral, negative = s.negative, label = s.label, model = $6,
        scored_at = now(), needs_score = false, change_seq = $7 + s.number
    FROM unnest($1::bigint[], $2::float8[], $3::float8[], $4::float8[], $5::text[]) WITH ORDINALITY
         AS s(id, positive, neutral, negative, label, number)
    WHERE t.id = s.id AND t.id = ANY($1) AND t.needs_score
    RETURNING t.change_seq
)
SELECT count(*), max(change_seq) FROM saved
"""

# The head is the number of a change that exists, so that a consumer that has read up to it has everything.
_COUNT = "UPDATE feed_state SET head = coalesce($1, head), scored = scored + $2"

# The answer of another version than the one that counts, or is to count, is looked for and judged again.
_NOTE_STRAYS = """
UPDATE sentiment_versions SET strays = true WHERE NOT strays AND $1 <> coalesce(coming_text_model, text_model)
"""


@dataclass(frozen=True)
class UnscoredTweet:
    """A tweet that waits for its sentiment, and the request that brought it."""

    id: int
    text: str
    lang: str | None
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class TweetScore:
    """Shares in [0, 1] for one tweet; they sum to 1."""

    id: int
    positive: float
    neutral: float
    negative: float
    label: str


class ScoreRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def unscored(self, limit: int, besides: Sequence[int]) -> list[UnscoredTweet]:
        """Return the oldest tweets without a sentiment, leaving out the ids ``besides``."""
        return [UnscoredTweet(*row) for row in await fetch_planned(self._postgres, _UNSCORED, list(besides), limit)]

    async def save(self, scores: Sequence[TweetScore], model: str) -> int:
        """Store sentiments and return how many were new; a tweet that has one keeps it."""
        columns = [
            [s.id for s in scores],
            [s.positive for s in scores],
            [s.neutral for s in scores],
            [s.negative for s in scores],
            [s.label for s in scores],
        ]
        async with self._postgres.transaction() as connection:
            head, _ = await lock_feed(connection)
            row = await connection.fetchrow(_SAVE, *columns, model, head)
            assert row is not None
            saved, last = int(row[0]), row[1]
            await connection.execute(_COUNT, last, saved)
            await connection.execute(_NOTE_STRAYS, model)
            return saved

    async def mark_unscorable(self, tweet_id: int, reason: str) -> None:
        """Note that a tweet cannot be scored and why, so that it is not tried again."""
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            marked = await connection.execute(
                "UPDATE tweets SET needs_score = false, score_error = $2 WHERE id = $1 AND needs_score",
                tweet_id,
                reason[:500],
            )
            await connection.execute("UPDATE feed_state SET unscorable = unscorable + $1", affected_rows(marked))


async def fetch_planned(postgres: Postgres, sql: str, *args: Any) -> list[Any]:
    """Fetch by a plan for what is stored now: a plan from when a table was empty would sort all of it every time."""
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows: list[Any] = await connection.fetch(sql, *args)
        return rows

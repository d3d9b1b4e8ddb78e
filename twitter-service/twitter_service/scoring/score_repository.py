"""The sentiment of texts in PostgreSQL: which tweets wait for it, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from castor_chassis import Postgres, affected_rows
from twitter_service.tweets.feed_repository import lock_feed

_UNSCORED = """
SELECT t.id, coalesce(t.version_id, t.id), t.text, t.lang, i.origin_request_id, i.origin_traceparent
FROM tweets t LEFT JOIN imports i ON i.id = t.import_id
WHERE t.needs_score AND t.id <> ALL($1::bigint[])
ORDER BY t.created_at, t.id LIMIT $2
"""

# An edit meanwhile: the new text is asked about later.
_SAVE = """
WITH saved AS (
    UPDATE tweets t
    SET positive = s.positive, neutral = s.neutral, negative = s.negative, label = s.label, model = $7,
        scored_at = now(), needs_score = false, change_seq = $8 + s.number
    FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::float8[], $6::text[]) WITH ORDINALITY
         AS s(id, version_id, positive, neutral, negative, label, number)
    WHERE t.id = s.id AND t.id = ANY($1) AND t.needs_score AND coalesce(t.version_id, t.id) = s.version_id
    RETURNING t.change_seq
)
SELECT count(*), max(change_seq) FROM saved
"""

_MARK_UNSCORABLE = """
UPDATE tweets SET needs_score = false, score_error = $3
WHERE id = $1 AND needs_score AND coalesce(version_id, id) = $2
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
    version_id: int
    text: str
    lang: str | None
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class TweetScore:
    """Shares in [0, 1] for one tweet; they sum to 1."""

    id: int
    version_id: int
    """The version whose text was scored."""
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
        """Store sentiments and return how many were new; one that has a sentiment, or was edited, keeps what it has."""
        columns = score_columns(scores)
        async with self._postgres.transaction() as connection:
            head, _ = await lock_feed(connection)
            row = await connection.fetchrow(_SAVE, *columns, model, head)
            assert row is not None
            saved, last = int(row[0]), row[1]
            await connection.execute(_COUNT, last, saved)
            await connection.execute(_NOTE_STRAYS, model)
            return saved

    async def mark_unscorable(self, tweet: UnscoredTweet, reason: str) -> None:
        """Note that a tweet cannot be scored and why, so that it is not tried again until it is edited."""
        async with self._postgres.transaction() as connection:
            await lock_feed(connection)
            marked = await connection.execute(_MARK_UNSCORABLE, tweet.id, tweet.version_id, reason[:500])
            await connection.execute("UPDATE feed_state SET unscorable = unscorable + $1", affected_rows(marked))


def score_columns(scores: Sequence[TweetScore]) -> list[list[Any]]:
    """Return the columns of scores in the order of their fields."""
    return [[getattr(score, field.name) for score in scores] for field in fields(TweetScore)]


async def fetch_planned(postgres: Postgres, sql: str, *args: Any) -> list[Any]:
    """Fetch by a plan for what is stored now: a plan from when a table was empty would sort all of it every time."""
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows: list[Any] = await connection.fetch(sql, *args)
        return rows

"""Authors that wait for their assessment, and their scores, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from castor_chassis import Postgres
from twitter_service.maintenance.credibility import Activity, Assessment
from twitter_service.tweets.feed_repository import lock_feed
from twitter_service.tweets.model import Author

# The latest 500 tweets of an author are looked at.
_UNASSESSED = """
SELECT a.key, a.username, a.created_at, a.followers, a.following, a.tweets, a.verified, a.has_bio, a.has_image,
       a.location, w.stored, w.days, w.distinct_texts, a.observed_at
FROM (SELECT * FROM authors WHERE needs_score AND key > $1 ORDER BY key LIMIT $2) a
LEFT JOIN LATERAL (
    SELECT count(*) AS stored, count(DISTINCT md5(text)) AS distinct_texts,
           extract(epoch FROM max(created_at) - min(created_at)) / 86400 AS days
    FROM (SELECT text, created_at FROM tweets t WHERE lower(t.username) = lower(a.username) AND NOT t.deleted
          ORDER BY created_at DESC, id DESC LIMIT 500) latest
) w ON true
ORDER BY a.key
"""

# Whose profile, or whose tweets, changed since they were looked at, waits on.
_SAVE = """
WITH changed AS MATERIALIZED (SELECT DISTINCT lower(username) AS handle FROM tweets WHERE change_seq > $5)
UPDATE authors a
SET score = n.score, reasons = n.reasons::jsonb,
    needs_score = a.observed_at <> n.observed_at OR lower(a.username) IN (SELECT handle FROM changed)
FROM unnest($1::text[], $2::float8[], $3::text[], $4::timestamptz[]) AS n(key, score, reasons, observed_at)
WHERE a.key = n.key
"""


@dataclass(frozen=True)
class Unassessed:
    """An author that waits for its score, and what it wrote."""

    author: Author
    activity: Activity
    observed_at: datetime
    """Which state of the profile this is."""
    head: int
    """Number of the newest change of tweets before this was looked at."""


class AssessmentRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def unassessed(self, after: str, limit: int) -> list[Unassessed]:
        """Return authors that wait for their score, and what they wrote, in order of key from the first ``after``."""
        head: int = await self._postgres.fetchval("SELECT head FROM feed_state")
        return [_unassessed(row, head) for row in await self._postgres.fetch(_UNASSESSED, after, limit)]

    async def save(self, assessed: Sequence[tuple[Unassessed, Assessment]]) -> None:
        """Store scores; an author about whom more was stored meanwhile is assessed again."""
        async with self._postgres.transaction() as connection:
            # Whoever stores tweets holds the lock, so that none are on their way.
            await lock_feed(connection)
            await connection.execute(
                _SAVE,
                [of.author.id for of, _ in assessed],
                [found.score for _, found in assessed],
                [orjson.dumps(found.reasons).decode() for _, found in assessed],
                [of.observed_at for of, _ in assessed],
                min(of.head for of, _ in assessed),
            )


def _unassessed(row: Any, head: int) -> Unassessed:
    *author, stored, days, distinct_texts, observed_at = row
    return Unassessed(Author(*author), Activity(stored, float(days or 0), distinct_texts), observed_at, head)

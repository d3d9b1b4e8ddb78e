"""Authors that wait for their assessment, and their scores, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from castor_chassis import Postgres
from twitter_service.maintenance.credibility import Activity, Assessment
from twitter_service.tweets.model import Author

# The latest 500 tweets of an author are looked at.
_UNASSESSED = """
SELECT a.key, a.username, a.created_at, a.followers, a.following, a.tweets, a.verified, a.has_bio, a.has_image,
       a.location, w.stored, w.days, w.distinct_texts
FROM (SELECT * FROM authors WHERE needs_score ORDER BY key LIMIT $1) a
LEFT JOIN LATERAL (
    SELECT count(*) AS stored, count(DISTINCT md5(text)) AS distinct_texts,
           extract(epoch FROM max(created_at) - min(created_at)) / 86400 AS days
    FROM (SELECT text, created_at FROM tweets t WHERE lower(t.username) = lower(a.username) AND NOT t.deleted
          ORDER BY created_at DESC, id DESC LIMIT 500) latest
) w ON true
"""

_SAVE = """
UPDATE authors a SET score = n.score, reasons = n.reasons::jsonb, needs_score = false
FROM unnest($1::text[], $2::float8[], $3::text[]) AS n(key, score, reasons) WHERE a.key = n.key
"""


class AssessmentRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def unassessed(self, limit: int) -> list[tuple[Author, Activity]]:
        """Return authors that wait for their score, and what they wrote."""
        return [_author_and_activity(row) for row in await self._postgres.fetch(_UNASSESSED, limit)]

    async def save(self, assessed: Sequence[tuple[str, Assessment]]) -> None:
        """Store scores by the key of the author."""
        await self._postgres.execute(
            _SAVE,
            [key for key, _ in assessed],
            [found.score for _, found in assessed],
            [orjson.dumps(found.reasons).decode() for _, found in assessed],
        )


def _author_and_activity(row: Any) -> tuple[Author, Activity]:
    *author, stored, days, distinct_texts = row
    return Author(*author), Activity(stored, float(days or 0), distinct_texts)

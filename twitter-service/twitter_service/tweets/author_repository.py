"""Authors and their credibility in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from castor_chassis import Postgres
from twitter_service.tweets.credibility import Activity, Assessment
from twitter_service.tweets.model import Author

_FIELDS = ("followers", "following", "tweets", "verified", "has_bio", "has_image", "location")

# What an older source does not say does not erase what is known.
_SAVE = """
INSERT INTO authors AS a
    (key, username, created_at, followers, following, tweets, verified, has_bio, has_image, location)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[],
                     $8::boolean[], $9::boolean[], $10::text[])
ON CONFLICT (key) DO UPDATE
SET username = excluded.username, created_at = coalesce(excluded.created_at, a.created_at),
    followers = coalesce(excluded.followers, a.followers), following = coalesce(excluded.following, a.following),
    tweets = coalesce(excluded.tweets, a.tweets), verified = coalesce(excluded.verified, a.verified),
    has_bio = coalesce(excluded.has_bio, a.has_bio), has_image = coalesce(excluded.has_image, a.has_image),
    location = coalesce(excluded.location, a.location), observed_at = now(), needs_score = true
"""

# The latest 500 tweets of an author are looked at.
_UNASSESSED = """
SELECT a.*, w.stored, w.days, w.distinct_texts
FROM (SELECT * FROM authors WHERE needs_score ORDER BY key LIMIT $1) a
LEFT JOIN LATERAL (
    SELECT count(*) AS stored, count(DISTINCT md5(text)) AS distinct_texts,
           extract(epoch FROM max(created_at) - min(created_at)) / 86400 AS days
    FROM (SELECT text, created_at FROM tweets t WHERE lower(t.username) = lower(a.username) AND NOT t.deleted
          ORDER BY created_at DESC, id DESC LIMIT 500) latest
) w ON true
"""


async def save_authors(connection: Any, authors: Sequence[Author]) -> None:
    """Store what is known of authors, and have them assessed."""
    if authors:
        ordered = sorted(authors, key=lambda author: author.id)
        columns: list[list[Any]] = [
            [a.id for a in ordered], [a.username for a in ordered], [a.created_at for a in ordered],
            *([getattr(a, name) for a in ordered] for name in _FIELDS),
        ]  # fmt: skip
        await connection.execute(_SAVE, *columns)


class AuthorStore:
    """Authors."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def author(self, username: str) -> dict[str, Any] | None:
        """Return what is known of the author with this handle, or None."""
        row = await self._postgres.fetchrow(
            "SELECT * FROM authors WHERE lower(username) = lower($1) ORDER BY observed_at DESC LIMIT 1", username
        )
        return None if row is None else dict(row)

    async def unassessed(self, limit: int) -> list[tuple[Author, Activity]]:
        """Return authors that wait for their score, and what they wrote."""
        rows = await self._postgres.fetch(_UNASSESSED, limit)
        return [(_author(row), Activity(row["stored"], float(row["days"] or 0), row["distinct_texts"])) for row in rows]

    async def save(self, assessed: Sequence[tuple[str, Assessment]]) -> None:
        """Store scores."""
        await self._postgres.execute(
            "UPDATE authors a SET score = n.score, reasons = n.reasons::jsonb, needs_score = false "
            "FROM unnest($1::text[], $2::float8[], $3::text[]) AS n(key, score, reasons) WHERE a.key = n.key",
            [key for key, _ in assessed],
            [found.score for _, found in assessed],
            [orjson.dumps(found.reasons).decode() for _, found in assessed],
        )


def _author(row: Any) -> Author:
    return Author(
        id=row["key"], username=row["username"], created_at=row["created_at"], **{name: row[name] for name in _FIELDS}
    )

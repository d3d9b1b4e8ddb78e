"""Authors in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castor_chassis import Postgres
from twitter_service.tweets.model import Author
from twitter_service.tweets.records import AuthorRecord

_FIELDS = ("followers", "following", "tweets", "verified", "has_bio", "has_image", "location")

# A field that the source leaves out keeps the value that is stored.
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

_WAIT_FOR_SCORE = "UPDATE authors SET needs_score = true WHERE key = ANY($1::text[]) AND NOT needs_score"

_BY_NAME = """
SELECT username, created_at, followers, following, tweets, verified, location, score, reasons
FROM authors WHERE lower(username) = lower($1) ORDER BY observed_at DESC LIMIT 1
"""


async def save_authors(connection: Any, authors: Sequence[Author]) -> None:
    """Store or update authors; their credibility will be assessed again."""
    if authors:
        ordered = sorted(authors, key=lambda author: author.id)
        columns: list[list[Any]] = [
            [a.id for a in ordered], [a.username for a in ordered], [a.created_at for a in ordered],
            *([getattr(a, name) for a in ordered] for name in _FIELDS),
        ]  # fmt: skip
        await connection.execute(_SAVE, *columns)


async def assess_again(connection: Any, keys: Sequence[str]) -> None:
    """Have the credibility of stored authors assessed again, because of tweets that are being stored."""
    if keys:
        await connection.execute(_WAIT_FOR_SCORE, list(keys))


class AuthorRepository:
    """Reads authors. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def get(self, username: str) -> AuthorRecord | None:
        """Return what is known of the author with this handle, or None."""
        row = await self._postgres.fetchrow(_BY_NAME, username)
        return None if row is None else AuthorRecord(*row)

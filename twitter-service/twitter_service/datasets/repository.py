"""Data sets in PostgreSQL. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from castor_chassis import Postgres
from twitter_service.errors import DatasetNotFound

_ALL = """
SELECT d.name, d.created_at, coalesce(i.imports, 0) AS imports, t.tweets, t.first_tweet_at, t.last_tweet_at
FROM datasets d
LEFT JOIN (SELECT dataset, count(*) AS imports FROM imports GROUP BY 1) i ON i.dataset = d.name
CROSS JOIN LATERAL (
    SELECT count(*) AS tweets, min(created_at) AS first_tweet_at, max(created_at) AS last_tweet_at
    FROM tweets WHERE datasets @> ARRAY[d.name] AND NOT deleted
) t
WHERE d.name > $1
ORDER BY d.name LIMIT $2
"""


@dataclass(frozen=True)
class Dataset:
    """A named group of tweets; in the order of the columns of ``_ALL``."""

    name: str
    created_at: datetime
    imports: int
    tweets: int
    first_tweet_at: datetime | None
    last_tweet_at: datetime | None


class DatasetRepository:
    """Names of data sets."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, name: str) -> None:
        """Make a data set known; one that is known stays as it is."""
        await self._postgres.execute("INSERT INTO datasets (name) VALUES ($1) ON CONFLICT DO NOTHING", name)

    async def check(self, name: str | None) -> None:
        """Raise ``DatasetNotFound`` for a name that no import has given; None stands for all tweets."""
        if name is not None and not await self._postgres.fetchval("SELECT true FROM datasets WHERE name = $1", name):
            raise DatasetNotFound(dataset=name)

    async def find(self, after: str, limit: int) -> list[Dataset]:
        """Return data sets after a name, in order of name."""
        return [Dataset(*row) for row in await self._postgres.fetch(_ALL, after, limit)]

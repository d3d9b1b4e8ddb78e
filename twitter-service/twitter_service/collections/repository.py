"""Collections in PostgreSQL. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import asyncpg

from castor_chassis import Postgres
from twitter_service.collections.model import Collection, NewCollection, UnfinishedJob
from twitter_service.errors import CollectionExists, CollectionNotFound

_COLUMNS = ", ".join(field.name for field in fields(Collection))
_SELECT = f"SELECT {_COLUMNS} FROM x_collections"

_INSERT = f"""
INSERT INTO x_collections (id, name, mode, query, tenant, purpose, every_seconds, max_posts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}
"""

_FAIL_JOBS = """
UPDATE x_searches SET state = 'failed', error_code = 'collection_deleted', finished_at = now(), claim = NULL,
    error = 'Its collection was deleted.'
WHERE collection_id = $1 AND state IN ('queued', 'running', 'paused')
"""

_TAKE_DUE = f"""
UPDATE x_collections SET next_run_at = now() + make_interval(secs => every_seconds)
WHERE enabled AND next_run_at <= now() RETURNING {_COLUMNS}
"""


class CollectionRepository:
    """Stores collections."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, new: NewCollection, tenant: str) -> Collection:
        """Store a collection; raises ``CollectionExists``."""
        try:
            row = await self._postgres.fetchrow(
                _INSERT, new.id, new.name, new.mode, new.query, tenant, new.purpose, new.every_seconds, new.max_posts
            )
        except asyncpg.UniqueViolationError as error:
            raise CollectionExists(collection_id=new.id) from error
        return _found(row, new.id)

    async def get(self, collection_id: str) -> Collection:
        """Return a collection; raises ``CollectionNotFound``."""
        return _found(await self._postgres.fetchrow(f"{_SELECT} WHERE id = $1", collection_id), collection_id)

    async def find(self, after: str, limit: int) -> list[Collection]:
        """Return collections in order of id."""
        rows = await self._postgres.fetch(f"{_SELECT} WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
        return [Collection(*row) for row in rows]

    async def enable(self, collection_id: str, enabled: bool) -> Collection:
        """Resume or pause a collection; raises ``CollectionNotFound``."""
        sql = f"UPDATE x_collections SET enabled = $2, next_run_at = now() WHERE id = $1 RETURNING {_COLUMNS}"
        return _found(await self._postgres.fetchrow(sql, collection_id, enabled), collection_id)

    async def delete(self, collection_id: str) -> Collection:
        """Delete a collection and its unfinished jobs; raises ``CollectionNotFound``. Its tweets stay."""
        sql = f"DELETE FROM x_collections WHERE id = $1 RETURNING {_COLUMNS}"
        found = _found(await self._postgres.fetchrow(sql, collection_id), collection_id)
        await self._postgres.execute(_FAIL_JOBS, collection_id)
        return found

    async def take_due(self) -> list[Collection]:
        """Return the collections that are due, and set when each is due next."""
        return [Collection(*row) for row in await self._postgres.fetch(_TAKE_DUE)]

    async def unfinished_jobs(self, collection_id: str) -> list[UnfinishedJob]:
        """Return the jobs of a collection that are not finished."""
        sql = "SELECT id, state FROM x_searches WHERE collection_id = $1 AND state IN ('queued', 'running', 'paused')"
        return [UnfinishedJob(*row) for row in await self._postgres.fetch(sql, collection_id)]

    async def streamed(self) -> list[Collection]:
        """Return the enabled collections of mode ``stream``."""
        rows = await self._postgres.fetch(f"{_SELECT} WHERE enabled AND mode = 'stream' ORDER BY id")
        return [Collection(*row) for row in rows]

    async def mark_streaming(self, collection_id: str) -> None:
        """Note that the stream now carries a collection."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = true, connects = connects + 1, error_code = NULL, error = NULL "
            "WHERE id = $1",
            collection_id,
        )

    async def mark_idle(self, collection_ids: Sequence[str], code: str | None, error: str | None) -> None:
        """Note that the stream does not carry collections, and why."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = false, error_code = $2, error = $3 WHERE id = ANY($1)",
            list(collection_ids),
            code,
            error,
        )

    async def advance(self, collection_ids: Sequence[str], since_id: int) -> None:
        """Note that every post up to ``since_id`` is stored or waits in the filling of a gap."""
        await self._postgres.execute(
            "UPDATE x_collections SET since_id = greatest(since_id, $2) WHERE id = ANY($1)",
            list(collection_ids),
            since_id,
        )


def _found(row: Any, collection_id: str) -> Collection:
    if row is None:
        raise CollectionNotFound(collection_id=collection_id)
    return Collection(*row)

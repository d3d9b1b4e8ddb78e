"""Collections in PostgreSQL: what is read again and again, and up to which post it has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from castor_chassis import Postgres
from twitter_service.billing.budget import Payer, Purpose
from twitter_service.x.errors import CollectionExists, CollectionNotFound

Row = dict[str, Any]
Mode = Literal["search", "stream"]


@dataclass(frozen=True)
class Collection:
    """A saved search; ``query`` is a ``schemas_x.Query`` as JSON."""

    id: str
    name: str
    mode: Mode
    query: Row
    tenant: str
    purpose: Purpose
    every_seconds: int
    max_posts: int
    enabled: bool
    since_id: int | None
    next_run_at: datetime
    streaming: bool
    connects: int
    error_code: str | None
    error: str | None
    created_at: datetime

    @property
    def payer(self) -> Payer:
        """Who pays."""
        return Payer(self.tenant, self.purpose)


class CollectionStore:
    """Saved searches."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, values: Row, tenant: str) -> Collection:
        """Store a collection; raises ``CollectionExists``."""
        try:
            row = await self._postgres.fetchrow(
                "INSERT INTO x_collections (id, name, mode, query, tenant, purpose, every_seconds, max_posts) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
                values["id"],
                values["name"],
                values["mode"],
                values["query"],
                tenant,
                values["purpose"],
                values["every_seconds"],
                values["max_tweets"],
            )
        except asyncpg.UniqueViolationError as error:
            raise CollectionExists(collection_id=values["id"]) from error
        return _known(row, values["id"])

    async def get(self, collection_id: str) -> Collection:
        """Return a collection; raises ``CollectionNotFound``."""
        row = await self._postgres.fetchrow("SELECT * FROM x_collections WHERE id = $1", collection_id)
        return _known(row, collection_id)

    async def listed(self, after: str, limit: int) -> list[Collection]:
        """Return collections in order of id."""
        rows = await self._postgres.fetch(
            "SELECT * FROM x_collections WHERE id > $1 ORDER BY id LIMIT $2", after, limit
        )
        return [Collection(**dict(row)) for row in rows]

    async def enable(self, collection_id: str, enabled: bool) -> Collection:
        """Let a collection go on, or rest; raises ``CollectionNotFound``."""
        row = await self._postgres.fetchrow(
            "UPDATE x_collections SET enabled = $2, next_run_at = now() WHERE id = $1 RETURNING *",
            collection_id,
            enabled,
        )
        return _known(row, collection_id)

    async def delete(self, collection_id: str) -> Collection:
        """Delete a collection and what it has not read yet; raises ``CollectionNotFound``. Its tweets stay."""
        row = await self._postgres.fetchrow("DELETE FROM x_collections WHERE id = $1 RETURNING *", collection_id)
        found = _known(row, collection_id)
        await self._postgres.execute(
            "UPDATE x_searches SET state = 'failed', error_code = 'collection_deleted', finished_at = now(), "
            "claim = NULL, error = 'Its collection was deleted.' "
            "WHERE collection_id = $1 AND state IN ('queued', 'running', 'paused')",
            collection_id,
        )
        return found

    async def due(self) -> list[Collection]:
        """Return the collections whose time has come, and set their next one."""
        rows = await self._postgres.fetch(
            "UPDATE x_collections SET next_run_at = now() + make_interval(secs => every_seconds) "
            "WHERE enabled AND next_run_at <= now() RETURNING *"
        )
        return [Collection(**dict(row)) for row in rows]

    async def unfinished(self, collection_id: str) -> list[Row]:
        """Return the readings of a collection that are not finished."""
        rows = await self._postgres.fetch(
            "SELECT id, kind, state FROM x_searches "
            "WHERE collection_id = $1 AND state IN ('queued', 'running', 'paused')",
            collection_id,
        )
        return [dict(row) for row in rows]

    async def streams(self) -> list[Collection]:
        """Return the collections that the stream is to follow."""
        rows = await self._postgres.fetch("SELECT * FROM x_collections WHERE enabled AND mode = 'stream' ORDER BY id")
        return [Collection(**dict(row)) for row in rows]

    async def followed(self, collection_id: str) -> None:
        """Note that the stream now carries a collection."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = true, connects = connects + 1, error_code = NULL, error = NULL "
            "WHERE id = $1",
            collection_id,
        )

    async def left(self, collection_ids: Sequence[str], code: str | None, error: str | None) -> None:
        """Note that the stream no longer carries collections, and why."""
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


def _known(row: Any, collection_id: str) -> Collection:
    if row is None:
        raise CollectionNotFound(collection_id=collection_id)
    return Collection(**dict(row))

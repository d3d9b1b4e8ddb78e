"""Collections in PostgreSQL. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from castor_chassis import Postgres
from twitter_service.billing.budget import Payer
from twitter_service.collections.model import Collection, NewCollection, UnfinishedJob
from twitter_service.errors import CollectionExists, CollectionNotFound

_COLUMNS = ", ".join(field.name for field in fields(Collection))
_SELECT = f"SELECT {_COLUMNS} FROM x_collections"

_INSERT = f"""
INSERT INTO x_collections (id, name, mode, query, tenant, purpose, every_seconds, max_posts, org)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {_COLUMNS}
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

_NOTE_MISSED = """
UPDATE x_collections
SET missed_since = least(missed_since, $2), missed_until = greatest(missed_until, $3), error_code = 'search_window',
    error = $4
WHERE key = $1
"""


class CollectionRepository:
    """Stores collections. A collection is found by the id that its organisation gave it, and by its key."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, new: NewCollection, payer: Payer) -> Collection:
        """Store a collection of the payer's organisation; raises ``CollectionExists``."""
        try:
            row = await self._postgres.fetchrow(
                _INSERT, new.id, new.name, new.mode, new.query, payer.tenant, payer.purpose, new.every_seconds,
                new.max_posts, payer.org,
            )  # fmt: skip
        except asyncpg.UniqueViolationError as error:
            raise CollectionExists(collection_id=new.id) from error
        return _found(row, new.id)

    async def get(self, org: str, collection_id: str) -> Collection:
        """Return a collection; raises ``CollectionNotFound``."""
        row = await self._postgres.fetchrow(f"{_SELECT} WHERE org = $1 AND id = $2", org, collection_id)
        return _found(row, collection_id)

    async def find(self, org: str, after: str, limit: int) -> list[Collection]:
        """Return the collections of an organisation in order of id."""
        sql = f"{_SELECT} WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3"
        return [Collection(*row) for row in await self._postgres.fetch(sql, org, after, limit)]

    async def enable(self, org: str, collection_id: str, enabled: bool) -> Collection:
        """Resume or pause a collection; raises ``CollectionNotFound``."""
        sql = (
            "UPDATE x_collections SET enabled = $3, next_run_at = now() WHERE org = $1 AND id = $2 "
            f"RETURNING {_COLUMNS}"
        )
        return _found(await self._postgres.fetchrow(sql, org, collection_id, enabled), collection_id)

    async def delete(self, org: str, collection_id: str) -> Collection:
        """Delete a collection and its unfinished jobs; raises ``CollectionNotFound``. Its tweets stay."""
        sql = f"DELETE FROM x_collections WHERE org = $1 AND id = $2 RETURNING {_COLUMNS}"
        found = _found(await self._postgres.fetchrow(sql, org, collection_id), collection_id)
        await self._postgres.execute(_FAIL_JOBS, found.key)
        return found

    async def take_due(self) -> list[Collection]:
        """Return the collections that are due, and set when each is due next."""
        return [Collection(*row) for row in await self._postgres.fetch(_TAKE_DUE)]

    async def unfinished_jobs(self, key: str) -> list[UnfinishedJob]:
        """Return the jobs of a collection that are not finished."""
        sql = "SELECT id, state FROM x_searches WHERE collection_id = $1 AND state IN ('queued', 'running', 'paused')"
        return [UnfinishedJob(*row) for row in await self._postgres.fetch(sql, key)]

    async def streamed(self) -> list[Collection]:
        """Return the enabled collections of mode ``stream``."""
        rows = await self._postgres.fetch(f"{_SELECT} WHERE enabled AND mode = 'stream' ORDER BY key")
        return [Collection(*row) for row in rows]

    async def mark_streaming(self, key: str) -> None:
        """Note that the stream now carries a collection."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = true, connects = connects + 1, error_code = NULL, error = NULL "
            "WHERE key = $1",
            key,
        )

    async def mark_idle(self, keys: Sequence[str], code: str | None, error: str | None) -> None:
        """Note that the stream does not carry collections, and why."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = false, error_code = $2, error = $3 WHERE key = ANY($1)",
            list(keys),
            code,
            error,
        )

    async def stop_streaming(self, keys: Sequence[str] | None) -> None:
        """Note that the stream no longer carries collections (None: any); what they say of an error stays."""
        await self._postgres.execute(
            "UPDATE x_collections SET streaming = false WHERE streaming AND ($1::text[] IS NULL OR key = ANY($1))",
            None if keys is None else list(keys),
        )

    async def note_missed(self, key: str, since: datetime, until: datetime, reason: str) -> None:
        """Note that posts of a span can no longer be found; it is added to a span that was missed before."""
        await self._postgres.execute(_NOTE_MISSED, key, since, until, reason)

    async def advance(self, keys: Sequence[str], since_id: int) -> None:
        """Note that every post up to ``since_id`` is stored or waits in the filling of a gap."""
        await self._postgres.execute(
            "UPDATE x_collections SET since_id = greatest(since_id, $2) WHERE key = ANY($1)",
            list(keys),
            since_id,
        )


def _found(row: Any, collection_id: str) -> Collection:
    if row is None:
        raise CollectionNotFound(collection_id=collection_id)
    return Collection(*row)

"""SQL of the indexes of scopes: one per partition of the tweets."""

from __future__ import annotations

import structlog

from castor_chassis import Postgres

log = structlog.get_logger("castor.trending.scope_indexes")
BUILD_SECONDS = 6 * 3600
"""Limit of each statement that builds or drops an index."""

# An index over all partitions serves each of them as well.
_WITHOUT = """
SELECT h.inhrelid::regclass::text AS name FROM pg_inherits h
WHERE h.inhparent = 'tweets'::regclass AND NOT EXISTS (
    SELECT FROM pg_index x WHERE x.indrelid = h.inhrelid AND x.indisvalid
    AND pg_get_indexdef(x.indexrelid, 1, true) = 'scopes'
)
ORDER BY name
"""


class ScopeIndexRepository:
    """Builds the indexes that tell whether any tweet has a place, entity, axis or data set without reading all."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def ensure(self) -> list[str]:
        """Build the index of each partition that has none, and return the names of these partitions.

        Built concurrently, so reads and writes go on. What a crash left half-built is dropped. Call it from one
        replica at a time.
        """
        partitions = [row["name"] for row in await self._postgres.fetch(_WITHOUT)]
        for partition in partitions:
            await self._run(f"DROP INDEX CONCURRENTLY IF EXISTS {partition}_scopes")
            await self._run(f"CREATE INDEX CONCURRENTLY {partition}_scopes ON {partition} USING gin (scopes)")
            log.info("scope_index_built", partition=partition)
        return partitions

    async def _run(self, sql: str) -> None:
        async with self._postgres.connection() as connection:
            await connection.execute(sql, timeout=BUILD_SECONDS)

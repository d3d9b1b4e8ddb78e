"""SQL of the vector indexes: one HNSW index per partition, built when exact comparison is too slow for it."""

from __future__ import annotations

import structlog

from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import BACKGROUND

log = structlog.get_logger("castor.rag.vector_indexes")

_PARTITIONS = """
SELECT t.relname AS name,
       array(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid = t.oid AND i.relname LIKE '%\\_hnsw\\_%' AND x.indisvalid) AS valid,
       array(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid = t.oid AND i.relname LIKE '%\\_hnsw\\_%' AND NOT x.indisvalid) AS broken
FROM pg_class t
WHERE t.oid = 'tenant_documents'::regclass
   OR t.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'documents'::regclass)
ORDER BY name
"""

_DIMENSIONS_BEFORE = "SELECT previous_dimensions FROM embedding_space WHERE previous_model IS NOT NULL"


class VectorIndexRepository:
    """Builds and drops indexes of ``dimensions``; a partition needs one from ``exact_rows`` vectors on."""

    def __init__(self, postgres: Postgres, *, dimensions: int, exact_rows: int) -> None:
        self._postgres = postgres
        self._dimensions = dimensions
        self._exact_rows = exact_rows

    async def ensure(self) -> int:
        """Build the index of each partition with more than ``exact_rows`` vectors; return how many have one.

        Built concurrently, so reads and writes go on. An index of another dimension, or one that a crash left
        half-built, is dropped; that of the model before is kept while documents are embedded anew.
        """
        indexed = 0
        before = await self._postgres.fetchval(_DIMENSIONS_BEFORE)
        for row in await self._postgres.fetch(_PARTITIONS):
            expected = f"{row['name']}_hnsw_{self._dimensions}"
            kept = {expected, f"{row['name']}_hnsw_{before}"}
            for name in [*row["broken"], *(name for name in row["valid"] if name not in kept)]:
                await without_limit(self._postgres, f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
            if expected not in row["valid"] and await self._needs_index(row["name"]):
                await self._build(row["name"], expected)
                indexed += 1
            else:
                indexed += expected in row["valid"]
        return indexed

    async def _needs_index(self, partition: str) -> bool:
        sql = f'SELECT count(*) FROM (SELECT 1 FROM "{partition}" WHERE vector_dims(embedding) = $1 LIMIT $2) AS c'
        async with accessing(self._postgres, BACKGROUND) as connection:
            count = await connection.fetchval(sql, self._dimensions, self._exact_rows + 1)
        return bool(count > self._exact_rows)

    async def _build(self, partition: str, name: str) -> None:
        log.info("vector_index_begun", partition=partition, index=name)
        await without_limit(
            self._postgres,
            f'CREATE INDEX CONCURRENTLY "{name}" ON "{partition}" '
            f"USING hnsw ((embedding::halfvec({self._dimensions})) halfvec_cosine_ops) "
            f"WHERE vector_dims(embedding) = {self._dimensions}",
        )
        log.info("vector_index_built", partition=partition, index=name)


async def without_limit(postgres: Postgres, sql: str) -> None:
    """Run a statement that builds or drops an index, which may take hours."""
    async with postgres.connection() as connection:
        await connection.execute(sql, timeout=6 * 3600)

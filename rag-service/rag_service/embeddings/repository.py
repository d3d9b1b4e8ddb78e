"""SQL of the embeddings: which documents wait for one, the vectors themselves, the model in use."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import structlog

from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import BACKGROUND, Access
from rag_service.documents.repository import WRITER_LOCK
from rag_service.embeddings.model import EmbeddingCounts, Embeddings, PendingDocument

log = structlog.get_logger("castor.rag.embeddings")


# Three ranges instead of '<>', which no index answers. The newest model's rows are never looked at. Newest first: what
# people ask about is mostly what was said today. The model stands in the order since without it PostgreSQL, which does
# not see that it is one in "IS NULL", would read by time, and pass over all that have their vector, in each batch.
def _waiting(table: str, condition: str) -> str:
    ranges = " UNION ALL ".join(
        f"(SELECT id, published_at, embedding_model IS NULL AS is_new FROM {table} WHERE {condition} "
        f"AND embedding_model {which} AND NOT embedding_refused ORDER BY embedding_model, published_at DESC LIMIT $2)"
        for which in ("IS NULL", "< $1", "> $1")
    )
    return f"({ranges} LIMIT $2)"


# Tweets and documents of organisations take turns, and so do organisations, so that many documents of one hold up its
# own alone.
_PENDING = f"""
WITH RECURSIVE tenants AS (
    (SELECT tenant FROM tenant_documents ORDER BY tenant LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant FROM tenant_documents d WHERE d.tenant > t.tenant ORDER BY d.tenant LIMIT 1)
    FROM tenants t WHERE t.tenant IS NOT NULL
), waiting AS (
    SELECT '' AS tenant, w.* FROM {_waiting("documents", "true")} AS w
    UNION ALL
    SELECT t.tenant, w.* FROM tenants t CROSS JOIN LATERAL {_waiting("tenant_documents", "tenant = t.tenant")} AS w
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY is_new DESC, published_at DESC, id) AS place FROM waiting
), turns AS (
    SELECT *, row_number() OVER (PARTITION BY tenant = '' ORDER BY place, tenant) AS turn FROM placed
), chosen AS (
    SELECT tenant, id, published_at, turn FROM turns ORDER BY turn, tenant LIMIT $2
)
SELECT c.tenant, c.id, c.published_at, coalesce(s.content_hash, o.content_hash) AS content_hash,
       left(coalesce(s.searched, s.text, o.searched), $3 + coalesce(length(coalesce(s.title, o.title)) + 1, 0)) AS text
FROM chosen c
LEFT JOIN documents s ON c.tenant = '' AND s.id = c.id AND s.published_at = c.published_at
LEFT JOIN tenant_documents o ON c.tenant <> '' AND o.tenant = c.tenant AND o.id = c.id
ORDER BY c.turn, c.tenant
"""

_SET_EMBEDDING = {
    "": "UPDATE documents SET embedding = $5::real[]::halfvec, embedding_model = $6 "
    "WHERE id = $2 AND published_at = $3 AND content_hash = $4 AND $1 = ''",
    "own": "UPDATE tenant_documents SET embedding = $5::real[]::halfvec, embedding_model = $6 "
    "WHERE tenant = $1 AND id = $2 AND published_at = $3 AND content_hash = $4",
}

_REFUSE = {
    "": "UPDATE documents SET embedding_refused = true, embedding = NULL, embedding_model = NULL "
    "WHERE id = $2 AND published_at = $3 AND content_hash = $4 AND $1 = ''",
    "own": "UPDATE tenant_documents SET embedding_refused = true, embedding = NULL, embedding_model = NULL "
    "WHERE tenant = $1 AND id = $2 AND published_at = $3 AND content_hash = $4",
}

# One model before is remembered: of all but the new one that of most documents, with the length of its vectors.
_ADOPT = """
INSERT INTO embedding_space AS s (model, dimensions) VALUES ($1, $2)
ON CONFLICT (only_row) DO UPDATE SET
    (previous_model, previous_dimensions) = (
        WITH counted AS (
            SELECT model, documents FROM document_counts WHERE NOT refused
            UNION ALL
            SELECT embedding_model, count(*) FROM tenant_documents WHERE NOT embedding_refused GROUP BY 1
        ), most AS (
            SELECT model FROM counted WHERE model NOT IN ('', excluded.model)
            GROUP BY 1 HAVING sum(documents) > 0 ORDER BY sum(documents) DESC, model LIMIT 1
        )
        SELECT d.embedding_model, vector_dims(d.embedding) FROM readable_documents d
        WHERE d.embedding_model = (SELECT model FROM most) AND NOT d.embedding_refused
        ORDER BY d.published_at DESC LIMIT 1
    ),
    model = excluded.model, dimensions = excluded.dimensions, since = now()
"""

# A vector of another length can be compared with nothing where the model kept its name; and what one model refused,
# another may take. The vectors of another model are searched until its own replace them.
_FORGET = tuple(
    f"UPDATE {table} SET embedding = NULL, embedding_model = NULL, embedding_refused = false "
    "WHERE embedding_refused OR (embedding_model = $2 AND vector_dims(embedding) <> $1)"
    for table in ("documents", "tenant_documents")
)

_END_CHANGE = """
UPDATE embedding_space s SET previous_model = NULL, previous_dimensions = NULL
WHERE previous_model IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM document_counts c WHERE c.model = s.previous_model AND c.documents > 0)
  AND NOT EXISTS (
      SELECT 1 FROM tenant_documents d WHERE d.embedding_model = s.previous_model AND NOT d.embedding_refused)
RETURNING model
"""

# Of the feed's documents the counts are kept (migration 0008); an organisation's are counted, under its access.
_COUNTS = """
WITH counted AS (
    SELECT nullif(model, '') AS model, refused, documents FROM document_counts
    UNION ALL
    SELECT embedding_model, embedding_refused, count(*) FROM tenant_documents GROUP BY 1, 2
), space AS (
    SELECT s.model AS searched, s.previous_model FROM (VALUES (1)) AS one LEFT JOIN embedding_space s ON true
)
SELECT coalesce(sum(documents) FILTER (WHERE NOT refused), 0)::bigint AS kept,
       coalesce(sum(documents) FILTER (WHERE refused), 0)::bigint AS refused,
       coalesce(sum(documents) FILTER (WHERE NOT refused AND model = searched), 0)::bigint AS embedded,
       max(searched) AS model, max(previous_model) AS changing_from
FROM space LEFT JOIN counted ON true
"""


class EmbeddingRepository:
    """Vectors of documents. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def pending(self, limit: int, characters: int) -> list[PendingDocument]:
        """Return documents that have no embedding of the model in use, their text cut to ``characters``.

        Half are tweets and half of organisations, one of each in turn, while so many wait; of each the newest first.
        """
        async with accessing(self._postgres, BACKGROUND) as connection:
            model = await connection.fetchval("SELECT model FROM embedding_space")
            rows = await connection.fetch(_PENDING, model, limit, characters)
        return [
            PendingDocument((row["id"], row["published_at"]), row["content_hash"], row["text"], row["tenant"])
            for row in rows
        ]

    async def set_embeddings(self, documents: Sequence[PendingDocument], embeddings: Embeddings) -> None:
        """Store vectors, except of a text that changed meanwhile; calls ``adopt`` in the same transaction."""
        pairs = zip(documents, embeddings.vectors, strict=True)
        rows = [(item.tenant, *item.key, item.content_hash, vector, embeddings.model) for item, vector in pairs]
        async with accessing(self._postgres, BACKGROUND) as connection:
            await connection.execute(WRITER_LOCK)
            await _adopt(connection, embeddings.model, embeddings.dimensions)
            await _on_both(connection, _SET_EMBEDDING, rows)

    async def adopt(self, model: str, dimensions: int) -> None:
        """Store which model makes the vectors; documents that another model embedded are then pending."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            await connection.execute(WRITER_LOCK)
            await _adopt(connection, model, dimensions)

    async def end_change(self) -> None:
        """Forget the model before once no document is of it any more."""
        async with accessing(self._postgres, BACKGROUND) as connection:
            model = await connection.fetchval(_END_CHANGE)
        if model is not None:
            log.info("embedded_anew", model=model)

    async def refuse(self, documents: Sequence[PendingDocument]) -> None:
        """Leave these texts without an embedding until they change."""
        rows = [(item.tenant, *item.key, item.content_hash) for item in documents]
        async with accessing(self._postgres, BACKGROUND) as connection:
            await connection.execute(WRITER_LOCK)
            await _on_both(connection, _REFUSE, rows)

    async def counts(self, access: Access = BACKGROUND) -> EmbeddingCounts:
        """Return how many of the documents that ``access`` may read are embedded, pending and refused."""
        async with accessing(self._postgres, access) as connection:
            row = await connection.fetchrow(_COUNTS)
        assert row is not None, "an aggregate without groups has one row"
        documents, pending = row["kept"] + row["refused"], row["kept"] - row["embedded"]
        models = (row["model"], row["changing_from"])
        return EmbeddingCounts(documents, row["embedded"], pending, row["refused"], *models)


async def _adopt(connection: asyncpg.Connection, model: str, dimensions: int) -> None:
    before = await connection.fetchrow("SELECT model, dimensions FROM embedding_space")
    if before is not None and (before["model"], before["dimensions"]) == (model, dimensions):
        return
    await connection.execute(_ADOPT, model, dimensions)
    if before is None:
        return
    log.warning("embedding_space_changed", before=dict(before), model=model, dimensions=dimensions)
    # Reads the whole tables, but only after such a change.
    for statement in _FORGET:
        await connection.execute(statement, dimensions, model, timeout=3600)


async def _on_both(
    connection: asyncpg.Connection, statements: dict[str, str], rows: Sequence[tuple[object, ...]]
) -> None:
    shared = [row for row in rows if row[0] == ""]
    await connection.executemany(statements[""], shared)
    await connection.executemany(statements["own"], [row for row in rows if row[0] != ""])

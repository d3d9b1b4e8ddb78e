"""SQL of the embeddings: which documents wait for one, the vectors themselves, the model in use."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import structlog

from castor_chassis import Postgres
from rag_service.documents.repository import WRITER_LOCK
from rag_service.embeddings.model import EmbeddingCounts, Embeddings, PendingDocument

log = structlog.get_logger("castor.rag.embeddings")

# Three ranges instead of '<>', which no index answers. The newest model's rows are never looked at.
_TEXT = "left(coalesce(searched, text), $3 + coalesce(length(title) + 1, 0)) AS text"
_PENDING = f"""
(SELECT id, published_at, content_hash, {_TEXT} FROM documents
 WHERE embedding_model IS NULL AND NOT embedding_refused LIMIT $2)
UNION ALL
(SELECT id, published_at, content_hash, {_TEXT} FROM documents
 WHERE embedding_model < $1 AND NOT embedding_refused LIMIT $2)
UNION ALL
(SELECT id, published_at, content_hash, {_TEXT} FROM documents
 WHERE embedding_model > $1 AND NOT embedding_refused LIMIT $2)
LIMIT $2
"""

_SET_EMBEDDING = """
UPDATE documents SET embedding = $4::real[]::halfvec, embedding_model = $5
WHERE id = $1 AND published_at = $2 AND content_hash = $3
"""

_REFUSE = """
UPDATE documents SET embedding_refused = true, embedding = NULL, embedding_model = NULL
WHERE id = $1 AND published_at = $2 AND content_hash = $3
"""

_ADOPT = """
INSERT INTO embedding_space AS s (model, dimensions) VALUES ($1, $2)
ON CONFLICT (only_row) DO UPDATE SET model = excluded.model, dimensions = excluded.dimensions, since = now()
WHERE (s.model, s.dimensions) IS DISTINCT FROM (excluded.model, excluded.dimensions)
"""

# A vector of another length can be compared with nothing, even where the model kept its name; and what one
# model refused, another may take.
_FORGET = """
UPDATE documents SET embedding = NULL, embedding_model = NULL, embedding_refused = false
WHERE embedding_refused OR vector_dims(embedding) <> $1
"""

_COUNTS = """
SELECT count(*) AS documents,
       count(*) FILTER (WHERE embedding_refused) AS refused,
       count(*) FILTER (WHERE NOT embedding_refused AND embedding_model = s.model) AS embedded,
       max(s.model) AS model
FROM documents LEFT JOIN embedding_space s ON true
"""


class EmbeddingRepository:
    """Vectors of documents. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def pending(self, limit: int, characters: int) -> list[PendingDocument]:
        """Return documents that have no embedding of the model in use, their text cut to ``characters``."""
        model = await self._postgres.fetchval("SELECT model FROM embedding_space")
        rows = await self._postgres.fetch(_PENDING, model, limit, characters)
        return [PendingDocument((row["id"], row["published_at"]), row["content_hash"], row["text"]) for row in rows]

    async def set_embeddings(self, documents: Sequence[PendingDocument], embeddings: Embeddings) -> None:
        """Store vectors, except of a text that changed meanwhile; calls ``adopt`` in the same transaction."""
        pairs = zip(documents, embeddings.vectors, strict=True)
        rows = [(*item.key, item.content_hash, vector, embeddings.model) for item, vector in pairs]
        async with self._postgres.transaction() as connection:
            await connection.execute(WRITER_LOCK)
            await _adopt(connection, embeddings.model, embeddings.dimensions)
            await connection.executemany(_SET_EMBEDDING, rows)

    async def adopt(self, model: str, dimensions: int) -> None:
        """Store which model makes the vectors; documents that another model embedded are then pending."""
        async with self._postgres.transaction() as connection:
            await connection.execute(WRITER_LOCK)
            await _adopt(connection, model, dimensions)

    async def refuse(self, documents: Sequence[PendingDocument]) -> None:
        """Leave these texts without an embedding until they change."""
        rows = [(*item.key, item.content_hash) for item in documents]
        async with self._postgres.transaction() as connection:
            await connection.execute(WRITER_LOCK)
            await connection.executemany(_REFUSE, rows)

    async def counts(self) -> EmbeddingCounts:
        """Return how many documents are embedded, pending and refused."""
        row = await self._postgres.fetchrow(_COUNTS)
        assert row is not None, "an aggregate without GROUP BY has one row"
        pending = row["documents"] - row["embedded"] - row["refused"]
        return EmbeddingCounts(row["documents"], row["embedded"], pending, row["refused"], row["model"])


async def _adopt(connection: asyncpg.Connection, model: str, dimensions: int) -> None:
    before = await connection.fetchrow("SELECT model, dimensions FROM embedding_space")
    await connection.execute(_ADOPT, model, dimensions)
    if before is None or (before["model"], before["dimensions"]) == (model, dimensions):
        return
    log.warning("embedding_space_changed", before=dict(before), model=model, dimensions=dimensions)
    # Reads the whole table, but only after such a change.
    await connection.execute(_FORGET, dimensions, timeout=3600)

"""Documents, their embeddings and the feed's cursor in PostgreSQL. What searches them is in store_search.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from castor_chassis.storage.postgres import Postgres
from rag_service.documents.model import Document, Draft, IndexCounts, Key, Pending, Saved, encoder_input
from rag_service.errors import CursorMoved, DocumentNotFound

log = structlog.get_logger("castor.rag.store")
FEED = "twitter"

# One writer at a time: a page takes some 20 ms, so this costs nothing, and it makes the id unique across
# partitions and keeps uploads, feed and embeddings from locking the same rows in different orders.
_WRITER_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('rag_documents', 0))"

COLUMNS = (
    "d.id, d.text, d.source, d.published_at, d.title, d.url, d.author, d.entities, d.metadata, "
    "d.stored_at, d.updated_at, d.embedding_model"
)

_MOVE = "UPDATE documents SET published_at = $3 WHERE id = $1 AND published_at = $2"

_UPSERT = """
INSERT INTO documents AS d
    (id, published_at, source, author, title, url, text, entities, metadata, content_hash)
SELECT id, published_at, source, author, title, url, text, entities, metadata, content_hash
FROM jsonb_to_recordset($1) AS g(
    id text, published_at timestamptz, source text, author text, title text, url text, text text,
    entities text[], metadata jsonb, content_hash text
)
ON CONFLICT (id, published_at) DO UPDATE SET
    source = excluded.source, author = excluded.author, title = excluded.title, url = excluded.url,
    text = excluded.text, entities = excluded.entities, metadata = excluded.metadata,
    content_hash = excluded.content_hash, updated_at = now(),
    embedding = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding END,
    embedding_model = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding_model END,
    embedding_refused = d.content_hash = excluded.content_hash AND d.embedding_refused
WHERE (d.source, d.author, d.title, d.url, d.text, d.entities, d.metadata) IS DISTINCT FROM
    (excluded.source, excluded.author, excluded.title, excluded.url, excluded.text, excluded.entities,
     excluded.metadata)
RETURNING id
"""

# Three ranges instead of '<>', which no index answers. The newest model's rows are never looked at.
_PENDING = """
(SELECT id, published_at, content_hash, title, left(text, $3) AS text FROM documents
 WHERE embedding_model IS NULL AND NOT embedding_refused LIMIT $2)
UNION ALL
(SELECT id, published_at, content_hash, title, left(text, $3) FROM documents
 WHERE embedding_model < $1 AND NOT embedding_refused LIMIT $2)
UNION ALL
(SELECT id, published_at, content_hash, title, left(text, $3) FROM documents
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

_MOVE_CURSOR = """
INSERT INTO feed_cursors AS f (feed, cursor) VALUES ($1, $2)
ON CONFLICT (feed) DO UPDATE SET cursor = excluded.cursor, moved_at = now() WHERE f.cursor < excluded.cursor
"""

_COUNTS = """
SELECT count(*) AS documents,
       count(*) FILTER (WHERE embedding_refused) AS refused,
       count(*) FILTER (WHERE NOT embedding_refused AND embedding_model = s.model) AS embedded,
       max(s.model) AS model,
       (SELECT cursor FROM feed_cursors WHERE feed = $1) AS cursor
FROM documents LEFT JOIN embedding_space s ON true
"""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of unit length (or all zero), in the order of the texts, and the model that made them."""

    model: str
    dimensions: int
    vectors: list[list[float]]


class DocumentStore:
    """Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, drafts: Sequence[Draft]) -> Saved:
        """Store ``drafts`` (ids all different), all or none; what did not change is not touched."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            return await _save(connection, drafts)

    async def apply_page(self, drafts: Sequence[Draft], erased: Sequence[str], cursor: int) -> Saved:
        """Store one page of the feed together with where it ends, in one transaction.

        Raises ``CursorMoved`` and stores nothing when the cursor is there already.
        """
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            if await connection.execute(_MOVE_CURSOR, FEED, cursor) != "INSERT 0 1":
                raise CursorMoved(feed=FEED, cursor=cursor)
            await connection.execute("DELETE FROM documents WHERE id = ANY($1)", list(erased))
            return await _save(connection, drafts)

    async def cursor(self) -> str:
        """Return where to follow the feed from; "0" is its beginning."""
        cursor = await self._postgres.fetchval("SELECT cursor FROM feed_cursors WHERE feed = $1", FEED)
        return str(cursor or 0)

    async def document(self, document_id: str) -> Document:
        """Return one document; raises ``DocumentNotFound``."""
        row = await self._postgres.fetchrow(f"SELECT {COLUMNS} FROM documents d WHERE d.id = $1", document_id)
        if row is None:
            raise DocumentNotFound(document_id=document_id)
        return Document(**row)

    async def erase(self, document_id: str) -> None:
        """Remove a document; raises ``DocumentNotFound``."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            if await connection.execute("DELETE FROM documents WHERE id = $1", document_id) == "DELETE 0":
                raise DocumentNotFound(document_id=document_id)

    async def pending(self, limit: int, characters: int) -> list[Pending]:
        """Return documents that have no embedding of the model in use, their text cut to ``characters``."""
        model = await self._postgres.fetchval("SELECT model FROM embedding_space")
        rows = await self._postgres.fetch(_PENDING, model, limit, characters)
        return [
            Pending(
                (row["id"], row["published_at"]),
                row["content_hash"],
                encoder_input(row["title"], row["text"]),
            )
            for row in rows
        ]

    async def set_embeddings(self, documents: Sequence[Pending], embeddings: Embeddings) -> None:
        """Store vectors, unless a text has changed meanwhile; a new model makes all older rows pending."""
        pairs = zip(documents, embeddings.vectors, strict=True)
        rows = [(*item.key, item.content_hash, vector, embeddings.model) for item, vector in pairs]
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            await _adopt(connection, embeddings.model, embeddings.dimensions)
            await connection.executemany(_SET_EMBEDDING, rows)

    async def adopt(self, model: str, dimensions: int) -> None:
        """Take note of who makes the vectors; of a new model, that all older rows are pending."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            await _adopt(connection, model, dimensions)

    async def refuse(self, documents: Sequence[Pending]) -> None:
        """Leave these texts without an embedding until they change."""
        rows = [(*item.key, item.content_hash) for item in documents]
        async with self._postgres.transaction() as connection:
            await connection.execute(_WRITER_LOCK)
            await connection.executemany(_REFUSE, rows)

    async def counts(self) -> IndexCounts:
        """Return how far indexing is."""
        row = await self._postgres.fetchrow(_COUNTS, FEED)
        assert row is not None, "an aggregate without GROUP BY has one row"
        pending = row["documents"] - row["embedded"] - row["refused"]
        cursor = str(row["cursor"] or 0)
        return IndexCounts(row["documents"], row["embedded"], pending, row["refused"], cursor, row["model"])


async def _save(connection: asyncpg.Connection, drafts: Sequence[Draft]) -> Saved:
    ids = [draft.id for draft in drafts]
    rows = await connection.fetch("SELECT id, published_at FROM documents WHERE id = ANY($1)", ids)
    known = {row["id"]: row["published_at"] for row in rows}
    moved = {draft.id: draft.published_at for draft in drafts if _moves(draft, known)}
    await connection.executemany(_MOVE, [(name, known[name], then) for name, then in moved.items()])
    now = datetime.now(UTC)
    records = [_record(draft, draft.published_at or known.get(draft.id) or now) for draft in drafts]
    written = {row["id"] for row in await connection.fetch(_UPSERT, records)}
    return Saved(
        created=[name for name in ids if name in written and name not in known],
        updated=[name for name in ids if name in known and (name in written or name in moved)],
        unchanged=[name for name in ids if name not in written and name not in moved],
    )


def _moves(draft: Draft, known: dict[str, datetime]) -> bool:
    return draft.published_at is not None and known.get(draft.id, draft.published_at) != draft.published_at


def _record(draft: Draft, published_at: datetime) -> dict[str, Any]:
    return {
        "id": draft.id,
        "published_at": published_at,
        "source": draft.source,
        "author": draft.author,
        "title": draft.title,
        "url": draft.url,
        "text": draft.text,
        "entities": draft.entities,
        "metadata": draft.metadata,
        "content_hash": draft.content_hash,
    }


async def _adopt(connection: asyncpg.Connection, model: str, dimensions: int) -> None:
    before = await connection.fetchrow("SELECT model, dimensions FROM embedding_space")
    await connection.execute(_ADOPT, model, dimensions)
    if before is None or (before["model"], before["dimensions"]) == (model, dimensions):
        return
    log.warning("embedding_space_changed", before=dict(before), model=model, dimensions=dimensions)
    # The one statement here that grows with the table, and only after such a change.
    await connection.execute(_FORGET, dimensions, timeout=3600)


def keys_of(documents: Sequence[Key]) -> tuple[list[str], list[datetime]]:
    """Return ids and times as two columns, for ``unnest``."""
    return [key[0] for key in documents], [key[1] for key in documents]

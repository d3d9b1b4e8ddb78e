"""SQL that stores and reads documents, and the cursor of the feed that they are stored from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from castor_chassis import Postgres, affected_rows
from rag_service.documents.kept_answers_repository import forget, lock_replaced
from rag_service.documents.model import Document, Draft, SavedDocuments
from rag_service.errors import CursorMoved, DocumentNotFound

FEED = "twitter"

# One writer at a time: a page takes some 20 ms, so this costs nothing, and it makes the id unique across
# partitions and keeps uploads, feed and embeddings from locking the same rows in different orders.
WRITER_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('rag_documents', 0))"

COLUMNS = (
    "d.id, d.text, d.source, d.published_at, d.title, d.url, d.author, d.entities, d.metadata, "
    "d.stored_at, d.updated_at, d.embedding_model, d.axes, d.places, d.datasets, d.words_hash, d.origin, d.stored_by, "
    "d.conversation, d.reply_to, d.reply_to_author"
)

_MOVE = "UPDATE documents SET published_at = $3 WHERE id = $1 AND published_at = $2"

_UPSERT = """
INSERT INTO documents AS d
    (id, published_at, source, author, title, url, text, entities, metadata, content_hash, axes, places,
     datasets, words_hash, searched, conversation, reply_to, reply_to_author)
SELECT id, published_at, source, author, title, url, text, entities, metadata, content_hash, axes, places,
       datasets, words_hash, searched, conversation, reply_to, reply_to_author
FROM jsonb_to_recordset($1) AS g(
    id text, published_at timestamptz, source text, author text, title text, url text, text text,
    entities text[], metadata jsonb, content_hash text, axes text[], places text[], datasets text[], words_hash text,
    searched text, conversation text, reply_to text, reply_to_author text
)
ON CONFLICT (id, published_at) DO UPDATE SET
    source = excluded.source, author = excluded.author, title = excluded.title, url = excluded.url,
    text = excluded.text, entities = excluded.entities, metadata = excluded.metadata,
    content_hash = excluded.content_hash, axes = excluded.axes, places = excluded.places, datasets = excluded.datasets,
    words_hash = excluded.words_hash, searched = excluded.searched, conversation = excluded.conversation,
    reply_to = excluded.reply_to, reply_to_author = excluded.reply_to_author, updated_at = now(),
    embedding = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding END,
    embedding_model = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding_model END,
    embedding_refused = d.content_hash = excluded.content_hash AND d.embedding_refused
WHERE (d.source, d.author, d.title, d.url, d.text, d.entities, d.metadata, d.axes, d.places, d.datasets,
       d.conversation, d.reply_to, d.reply_to_author)
    IS DISTINCT FROM
    (excluded.source, excluded.author, excluded.title, excluded.url, excluded.text, excluded.entities,
     excluded.metadata, excluded.axes, excluded.places, excluded.datasets,
     excluded.conversation, excluded.reply_to, excluded.reply_to_author)
RETURNING id
"""

_ERASE = """
WITH gone AS (DELETE FROM documents WHERE id = ANY($1) RETURNING id)
INSERT INTO erasures (tenant, document_id, erased_by) SELECT DISTINCT '', id, $2 FROM gone
"""
FEED_SUBJECT = "feed:twitter"

_MOVE_CURSOR = """
INSERT INTO feed_cursors AS f (feed, cursor) VALUES ($1, $2)
ON CONFLICT (feed) DO UPDATE SET cursor = excluded.cursor, moved_at = now() WHERE f.cursor < excluded.cursor
"""


class DocumentRepository:
    """Documents and the feed's cursor. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, drafts: Sequence[Draft]) -> SavedDocuments:
        """Store ``drafts`` (ids all different), all or none; documents that are stored as they are stay untouched."""
        async with self._postgres.transaction() as connection:
            await connection.execute(WRITER_LOCK)
            return await _save(connection, drafts)

    async def apply_page(self, drafts: Sequence[Draft], erased: Sequence[str], cursor: int) -> SavedDocuments:
        """Store one page of the feed together with where it ends, in one transaction.

        Raises ``CursorMoved`` and stores nothing when the cursor is there already.
        """
        async with self._postgres.transaction() as connection:
            await connection.execute(WRITER_LOCK)
            if affected_rows(await connection.execute(_MOVE_CURSOR, FEED, cursor)) == 0:
                raise CursorMoved(feed=FEED, cursor=cursor)
            await connection.execute(_ERASE, list(erased), FEED_SUBJECT)
            await forget(connection, erased)
            return await _save(connection, drafts)

    async def cursor(self) -> str:
        """Return where to follow the feed from; "0" is its beginning."""
        cursor = await self._postgres.fetchval("SELECT cursor FROM feed_cursors WHERE feed = $1", FEED)
        return str(cursor or 0)

    async def document(self, document_id: str) -> Document:
        """Return one document; raises ``DocumentNotFound``."""
        row = await self._postgres.fetchrow(f"SELECT {COLUMNS} FROM readable_documents d WHERE d.id = $1", document_id)
        if row is None:
            raise DocumentNotFound(document_id=document_id)
        return Document(**row)


async def _save(connection: asyncpg.Connection, drafts: Sequence[Draft]) -> SavedDocuments:
    ids = [draft.id for draft in drafts]
    rows = await connection.fetch("SELECT id, published_at FROM documents WHERE id = ANY($1)", ids)
    known = {row["id"]: row["published_at"] for row in rows}
    moved = {draft.id: draft.published_at for draft in drafts if _moves(draft, known)}
    await connection.executemany(_MOVE, [(name, known[name], then) for name, then in moved.items()])
    now = datetime.now(UTC)
    records = [record_of(draft, draft.published_at or known.get(draft.id) or now) for draft in drafts]
    replaced = await lock_replaced(connection, records)
    written = {row["id"] for row in await connection.fetch(_UPSERT, records)}
    await forget(connection, replaced)
    return SavedDocuments(
        created=[name for name in ids if name in written and name not in known],
        updated=[name for name in ids if name in known and (name in written or name in moved)],
        unchanged=[name for name in ids if name not in written and name not in moved],
    )


def _moves(draft: Draft, known: dict[str, datetime]) -> bool:
    return draft.published_at is not None and known.get(draft.id, draft.published_at) != draft.published_at


def record_of(draft: Draft, published_at: datetime) -> dict[str, object]:
    """Return a document as the statements take it."""
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
        "axes": draft.axes,
        "places": draft.places,
        "datasets": draft.datasets,
        "words_hash": draft.words_hash,
        "searched": draft.searched,
        "conversation": draft.conversation,
        "reply_to": draft.reply_to,
        "reply_to_author": draft.reply_to_author,
    }

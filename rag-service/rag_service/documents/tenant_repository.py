"""SQL of the documents that people and services store; each belongs to one organisation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from castor_chassis import ANY_TIME, Postgres, TimeSpan, affected_rows
from rag_service.documents.access_repository import accessing
from rag_service.documents.kept_answers_repository import forget, lock_replaced
from rag_service.documents.model import Access, Document, DocumentFilter, Draft, Erasure, SavedDocuments
from rag_service.documents.repository import COLUMNS, WRITER_LOCK, record_of
from rag_service.errors import DocumentNotFound, NotForYourRoles

_UPSERT = """
INSERT INTO tenant_documents AS d
    (tenant, id, published_at, origin, stored_by, readers, source, author, title, url, text, entities, metadata,
     content_hash, words_hash, searched)
SELECT $2, id, published_at, $3, $4, readers, source, author, title, url, text, entities, metadata, content_hash,
       words_hash, searched
FROM jsonb_to_recordset($1) AS g(
    id text, published_at timestamptz, readers text[], source text, author text, title text, url text, text text,
    entities text[], metadata jsonb, content_hash text, words_hash text, searched text
)
ON CONFLICT (tenant, id) DO UPDATE SET
    published_at = excluded.published_at, origin = excluded.origin, stored_by = excluded.stored_by,
    readers = excluded.readers, source = excluded.source, author = excluded.author, title = excluded.title,
    url = excluded.url, text = excluded.text, entities = excluded.entities, metadata = excluded.metadata,
    content_hash = excluded.content_hash, words_hash = excluded.words_hash, searched = excluded.searched,
    updated_at = now(),
    embedding = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding END,
    embedding_model = CASE WHEN d.content_hash = excluded.content_hash THEN d.embedding_model END,
    embedding_refused = d.content_hash = excluded.content_hash AND d.embedding_refused
WHERE (d.published_at, d.origin, d.source, d.author, d.title, d.url, d.text, d.entities, d.metadata)
    IS DISTINCT FROM
    (excluded.published_at, excluded.origin, excluded.source, excluded.author, excluded.title, excluded.url,
     excluded.text, excluded.entities, excluded.metadata)
    OR NOT (d.readers @> excluded.readers AND d.readers <@ excluded.readers)
RETURNING id
"""

# The same text has the same vector, whichever document holds it.
_REUSE = """
UPDATE tenant_documents d SET embedding = e.embedding, embedding_model = e.embedding_model
FROM tenant_documents e
WHERE d.tenant = $1 AND d.id = ANY($2) AND d.embedding IS NULL
  AND e.tenant = d.tenant AND e.content_hash = d.content_hash AND e.embedding IS NOT NULL
"""
_READ = f"SELECT {COLUMNS} FROM readable_documents d WHERE d.tenant IN ('', $1) AND d.id = $2"
_PAGE = f"""
SELECT {COLUMNS} FROM readable_documents d
WHERE d.tenant = $1 AND ($2::text IS NULL OR d.source = $2) AND d.id > $3
  AND ($5::timestamptz IS NULL OR d.published_at >= $5) AND ($6::timestamptz IS NULL OR d.published_at < $6)
ORDER BY d.id LIMIT $4
"""
_ERASE = "DELETE FROM tenant_documents WHERE tenant = $1 AND id = $2 AND ($3::text IS NULL OR stored_by = $3)"
_ERASE_SOURCE = "DELETE FROM tenant_documents WHERE tenant = $1 AND source = $2 RETURNING id"
# A file without its passages would be taken for read when it is sent again.
_ERASE_FILES_OF_SOURCE = "DELETE FROM files WHERE tenant = $1 AND source = $2 RETURNING id"
_NOTE = "INSERT INTO erasures (tenant, document_id, erased_by) SELECT $1, unnest($2::text[]), $3"
_ERASURES = """
SELECT number, document_id, erased_by, erased_at FROM erasures
WHERE tenant = $1 AND number < $2
  AND ($4::timestamptz IS NULL OR erased_at >= $4) AND ($5::timestamptz IS NULL OR erased_at < $5)
ORDER BY number DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents to be stored, and as the statements take them."""

    drafts: Sequence[Draft]
    records: list[dict[str, object]]
    prepared_at: datetime


class TenantDocumentRepository:
    """Documents of organisations. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, access: Access, origin: str, drafts: Sequence[Draft]) -> SavedDocuments:
        """Store ``drafts`` (ids all different), all or none; documents that are stored as they are stay untouched.

        Raises ``NotForYourRoles`` where one is, or replaces one that is, for other roles than those of ``access``.
        """
        batch = await prepared(drafts)
        async with accessing(self._postgres, access) as connection:
            await connection.execute(WRITER_LOCK)
            return await save_in(connection, access, origin, batch)

    async def document(self, access: Access, document_id: str) -> Document:
        """Return a document of the organisation or a shared one; raises ``DocumentNotFound``."""
        async with accessing(self._postgres, access) as connection:
            row = await connection.fetchrow(_READ, access.tenant, document_id)
        if row is None:
            raise DocumentNotFound(document_id=document_id)
        return Document(**row)

    async def erase(self, access: Access, document_id: str, *, only_own: bool = False) -> None:
        """Remove a document, with ``only_own`` one that ``access`` stored, and note who did.

        Raises ``DocumentNotFound``.
        """
        by = access.subject if only_own else None
        async with accessing(self._postgres, access) as connection:
            await connection.execute(WRITER_LOCK)
            if affected_rows(await connection.execute(_ERASE, access.tenant, document_id, by)) == 0:
                raise DocumentNotFound(document_id=document_id)
            await connection.execute(_NOTE, access.tenant, [document_id], access.subject)
            await forget(connection, [document_id], access.tenant)

    async def page(self, access: Access, wanted: DocumentFilter, after: str, limit: int) -> list[Document]:
        """Return the organisation's documents with an id after ``after``, by id."""
        async with accessing(self._postgres, access) as connection:
            rows = await connection.fetch(_PAGE, access.tenant, wanted.source, after, limit, wanted.since, wanted.until)
        return [Document(**row) for row in rows]

    async def erase_source(self, access: Access, source: str) -> int:
        """Remove all documents of a source that ``access`` may read, and the files that they are of.

        Notes who did, and returns how many documents there were.
        """
        async with accessing(self._postgres, access) as connection:
            await connection.execute(WRITER_LOCK)
            rows = await connection.fetch(_ERASE_SOURCE, access.tenant, source)
            files = await connection.fetch(_ERASE_FILES_OF_SOURCE, access.tenant, source)
            erased = [row["id"] for row in (*files, *rows)]
            await connection.execute(_NOTE, access.tenant, erased, access.subject)
            await forget(connection, erased, access.tenant)
        return len(rows)

    async def erasures(self, access: Access, before: int, limit: int, erased: TimeSpan = ANY_TIME) -> list[Erasure]:
        """Return the organisation's erasures in a span with a smaller number than ``before``, newest first."""
        async with accessing(self._postgres, access) as connection:
            rows = await connection.fetch(_ERASURES, access.tenant, before, limit, *erased)
        return [Erasure(**row) for row in rows]


async def prepared(drafts: Sequence[Draft]) -> Batch:
    """Return ``drafts`` (ids all different) as ``save_in`` takes them."""
    now = datetime.now(UTC)
    # Normal forms and hashes of many texts take the processor for long, and other writers wait for the lock.
    return Batch(drafts, await asyncio.to_thread(_records, drafts, now), now)


async def save_in(connection: asyncpg.Connection, access: Access, origin: str, batch: Batch) -> SavedDocuments:
    """Store a batch in a transaction of ``access`` that holds the lock of writers; raises ``NotForYourRoles``.

    Call it as the last statement that depends on whose the transaction is (``forget``).
    """
    ids = [draft.id for draft in batch.drafts]
    known = await _known(connection, access, ids)
    for record, draft in zip(batch.records, batch.drafts, strict=True):
        record["published_at"] = draft.published_at or known.get(draft.id) or batch.prepared_at
    replaced = await lock_replaced(connection, batch.records, access.tenant)
    try:
        rows = await connection.fetch(_UPSERT, batch.records, access.tenant, origin, access.subject)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotForYourRoles from error
    written = {row["id"] for row in rows}
    await connection.execute(_REUSE, access.tenant, list(written))
    await forget(connection, replaced, access.tenant)
    return SavedDocuments(
        created=[name for name in ids if name in written and name not in known],
        updated=[name for name in ids if name in written and name in known],
        unchanged=[name for name in ids if name not in written],
    )


def _records(drafts: Sequence[Draft], now: datetime) -> list[dict[str, object]]:
    return [{**record_of(draft, draft.published_at or now), "readers": draft.readers} for draft in drafts]


async def _known(connection: asyncpg.Connection, access: Access, ids: Sequence[str]) -> dict[str, datetime]:
    sql = "SELECT id, published_at FROM tenant_documents WHERE tenant = $1 AND id = ANY($2)"
    rows = await connection.fetch(sql, access.tenant, list(ids))
    return {row["id"]: row["published_at"] for row in rows}

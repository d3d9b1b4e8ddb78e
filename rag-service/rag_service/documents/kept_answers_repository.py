"""SQL that takes what is erased or replaced out of the answers that conversations keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from rag_service.documents.model import ANALYSIS, Document

AS_BACKGROUND = "SELECT set_config('rag.tenant', '*', true)"
# Tweets are cited in all organisations, a document of one in its own alone.
_FORGET = """
UPDATE conversation_turns t SET answer = rag_forgotten(t.answer)
FROM turn_citations c JOIN conversations o ON o.id = c.conversation
WHERE c.document_id = ANY($1) AND t.conversation = c.conversation AND t.number = c.number
  AND ($2::text IS NULL OR o.tenant = $2)
"""
# After the turns are locked: whoever erases a conversation locks these after its turns as well.
_DROP = """
DELETE FROM turn_citations c USING conversations o
WHERE o.id = c.conversation AND c.document_id = ANY($1) AND ($2::text IS NULL OR o.tenant = $2)
"""
# What an answer may hold of a document. Whoever erases or replaces one waits until the answer is stored, and then
# finds it; whoever writes its vector or its label does not wait.
_SHOWN = ("text", "title", "author", "url")
_LOCK = f"""
SELECT id, {", ".join(_SHOWN)} FROM {{table}} WHERE id = ANY($1) AND {{owned}} ORDER BY id FOR KEY SHARE
"""
_LOCK_SHARED = _LOCK.format(table="documents", owned="true")
_LOCK_OWNED = _LOCK.format(table="tenant_documents", owned="tenant = $2")
_REPLACE = """
SELECT d.id FROM {table} d JOIN jsonb_to_recordset($1) AS n(
    id text, text text, title text, author text, url text, readers text[]
) ON n.id = d.id
WHERE d.id = ANY($2) AND {changed}
ORDER BY d.id FOR UPDATE OF d
"""
_IS_OTHER = "(d.text, d.title, d.author, d.url) IS DISTINCT FROM (n.text, n.title, n.author, n.url)"
_REPLACE_SHARED = _REPLACE.format(table="documents", changed=_IS_OTHER)
# Who may not read a document any more reads nothing of it in an answer either. An analysis holds nothing that people
# wrote, and answers name it with its date: its newer figures leave them as they are.
_REPLACE_OWNED = _REPLACE.format(
    table="tenant_documents",
    changed=f"d.tenant = $3 AND (d.origin <> '{ANALYSIS}' AND {_IS_OTHER} "
    "OR NOT (d.readers @> n.readers AND d.readers <@ n.readers))",
)


async def forget(connection: asyncpg.Connection, gone: Sequence[str], tenant: str | None = None) -> None:
    """Blank the kept answers that hold something of documents of ``tenant`` or (None) of the feed.

    Call it after they are erased or replaced, as the last statement of their transaction that depends on whose that
    is: from here on it is the background's.
    """
    if gone:
        await connection.execute(AS_BACKGROUND)
        await connection.execute(_FORGET, list(gone), tenant)
        await connection.execute(_DROP, list(gone), tenant)


async def lock_replaced(
    connection: asyncpg.Connection, records: Sequence[Mapping[str, Any]], tenant: str | None = None
) -> list[str]:
    """Return the ids of stored documents of ``tenant`` or (None) of the feed that ``records`` give another content.

    Call it before they are stored, and ``forget`` those after: answers that are being kept are waited for.
    """
    ids = [record["id"] for record in records]
    if tenant is None:
        rows = await connection.fetch(_REPLACE_SHARED, list(records), ids)
    else:
        rows = await connection.fetch(_REPLACE_OWNED, list(records), ids, tenant)
    return [row["id"] for row in rows]


async def are_kept(
    connection: asyncpg.Connection, tenant: str, used: Sequence[str], read: Sequence[Document] = ()
) -> bool:
    """Return whether all ``used`` documents are stored, and those that were ``read`` say the same as then.

    None of them is erased or replaced before the end of the transaction.
    """
    wanted = {*used, *(document.id for document in read)}
    found = {row["id"]: row for row in await connection.fetch(_LOCK_SHARED, list(wanted))}
    owned = await connection.fetch(_LOCK_OWNED, list(wanted - found.keys()), tenant)
    found |= {row["id"]: row for row in owned}
    return wanted <= found.keys() and all(_says_the_same(document, found[document.id]) for document in read)


def _says_the_same(document: Document, row: asyncpg.Record) -> bool:
    return all(getattr(document, name) == row[name] for name in _SHOWN)

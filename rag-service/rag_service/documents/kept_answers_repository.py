"""SQL that takes what is erased out of the answers that conversations keep."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

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
# Whoever erases one waits until the answer is stored, and then finds it.
_LOCK_SHARED = "SELECT id FROM documents WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_LOCK_OWNED = "SELECT id FROM tenant_documents WHERE tenant = $2 AND id = ANY($1) ORDER BY id FOR KEY SHARE"


async def forget(connection: asyncpg.Connection, erased: Sequence[str], tenant: str | None = None) -> None:
    """Blank the kept answers that hold something of the ``erased`` documents of ``tenant`` or (None) of the feed.

    Call it after they are deleted, as the last statement of their transaction that depends on whose that is: from
    here on it is the background's.
    """
    if erased:
        await connection.execute(AS_BACKGROUND)
        await connection.execute(_FORGET, list(erased), tenant)
        await connection.execute(_DROP, list(erased), tenant)


async def are_kept(connection: asyncpg.Connection, tenant: str, used: Sequence[str]) -> bool:
    """Return whether all ``used`` documents are stored; none is erased before the end of the transaction."""
    wanted = set(used)
    found = {row["id"] for row in await connection.fetch(_LOCK_SHARED, list(wanted))}
    found |= {row["id"] for row in await connection.fetch(_LOCK_OWNED, list(wanted - found), tenant)}
    return wanted <= found

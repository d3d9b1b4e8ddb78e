"""SQL that finds kept answers of documents that are erased or replaced, where whoever did it did not look for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import asyncpg

from castor_chassis import Postgres
from rag_service.documents.kept_answers_repository import AS_BACKGROUND, forget
from rag_service.documents.model import ANALYSIS
from rag_service.documents.repository import WRITER_LOCK

# So many ids at a time: each is looked up in every partition, and a statement may take some seconds only.
_IDS = "SELECT DISTINCT document_id FROM turn_citations WHERE document_id > $1 ORDER BY document_id LIMIT 1000"
# A document that changed after the answer was kept: what the answer holds of it must stand there still.
_MISSED = f"""
SELECT o.tenant, c.document_id FROM turn_citations c JOIN conversations o ON o.id = c.conversation
WHERE c.document_id = ANY($1) AND NOT EXISTS (
    SELECT 1 FROM readable_documents d WHERE d.id = c.document_id AND d.tenant IN ('', o.tenant))
UNION
SELECT o.tenant, c.document_id
FROM turn_citations c JOIN conversations o ON o.id = c.conversation
JOIN conversation_turns t ON t.conversation = c.conversation AND t.number = c.number
JOIN readable_documents d ON d.id = c.document_id AND d.tenant IN ('', o.tenant) AND d.updated_at > t.asked_at
CROSS JOIN jsonb_array_elements(t.answer -> 'citations') AS q
WHERE c.document_id = ANY($1) AND q ->> 'id' = c.document_id AND d.origin <> '{ANALYSIS}' AND (
    strpos(d.text, q ->> 'quote') = 0
    OR q ? 'author' AND d.author IS DISTINCT FROM q ->> 'author'
    OR q ? 'title' AND d.title IS DISTINCT FROM q ->> 'title')
ORDER BY tenant
"""


async def forget_missed(postgres: Postgres) -> None:
    """Blank every kept answer that holds something of a document that is not stored any more, or says that no more.

    A release that does not know of kept answers, or of replaced documents in them, changes documents without them,
    before this one or beside it during a roll-out. Each change is looked after once; where none was missed, nothing is
    written.
    """
    after = ""
    while ids := [row["document_id"] for row in await postgres.fetch(_IDS, after)]:
        after = ids[-1]
        async with postgres.transaction() as connection:
            await _forget_missed_of(connection, ids)


async def _forget_missed_of(connection: asyncpg.Connection, ids: Sequence[str]) -> None:
    await connection.execute(AS_BACKGROUND)
    missed = await connection.fetch(_MISSED, ids)
    if missed:
        await connection.execute(WRITER_LOCK)
    for tenant, rows in groupby(missed, lambda row: row["tenant"]):
        await forget(connection, [row["document_id"] for row in rows], tenant)

"""SQL that finds kept answers of documents that are erased, where whoever erased these did not look for them."""

from __future__ import annotations

from itertools import groupby

from castor_chassis import Postgres
from rag_service.documents.kept_answers_repository import AS_BACKGROUND, forget
from rag_service.documents.repository import WRITER_LOCK

_BATCH = 1_000
_MISSED = f"""
SELECT DISTINCT o.tenant, c.document_id FROM turn_citations c JOIN conversations o ON o.id = c.conversation
WHERE NOT EXISTS (SELECT 1 FROM readable_documents d WHERE d.id = c.document_id AND d.tenant IN ('', o.tenant))
ORDER BY o.tenant LIMIT {_BATCH}
"""


async def forget_missed(postgres: Postgres) -> None:
    """Blank every kept answer that holds something of a document that is not stored any more.

    A release that does not know of kept answers erases without them, before this one or beside it during a roll-out.
    Each erasure is looked after once; where none was missed, nothing is written.
    """
    while await _forget_some(postgres) == _BATCH:
        pass


async def _forget_some(postgres: Postgres) -> int:
    async with postgres.transaction() as connection:
        await connection.execute(AS_BACKGROUND)
        missed = await connection.fetch(_MISSED)
        if missed:
            await connection.execute(WRITER_LOCK)
        for tenant, rows in groupby(missed, lambda row: row["tenant"]):
            await forget(connection, [row["document_id"] for row in rows], tenant)
    return len(missed)

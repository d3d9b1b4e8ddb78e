"""SQL that finds kept answers of documents that are erased, where whoever erased these did not look for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import asyncpg

from castor_chassis import Postgres
from rag_service.documents.kept_answers_repository import AS_BACKGROUND, forget
from rag_service.documents.repository import WRITER_LOCK

# So many ids at a time: each is looked up in every partition, and a statement may take some seconds only.
_IDS = "SELECT DISTINCT document_id FROM turn_citations WHERE document_id > $1 ORDER BY document_id LIMIT 1000"
_MISSED = """
SELECT DISTINCT o.tenant, c.document_id FROM turn_citations c JOIN conversations o ON o.id = c.conversation
WHERE c.document_id = ANY($1) AND NOT EXISTS (
    SELECT 1 FROM readable_documents d WHERE d.id = c.document_id AND d.tenant IN ('', o.tenant))
ORDER BY o.tenant
"""


async def forget_missed(postgres: Postgres) -> None:
    """Blank every kept answer that holds something of a document that is not stored any more.

    A release that does not know of kept answers erases without them, before this one or beside it during a roll-out.
    Each erasure is looked after once; where none was missed, nothing is written.
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

"""SQL that tells PostgreSQL for whom a transaction reads and writes; row level security does the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from castor_chassis import Postgres
from rag_service.documents.model import Access

_NAME = (
    "SELECT set_config('rag.tenant', $1, true), set_config('rag.roles', $2, true), set_config('rag.subject', $3, true)"
)


@asynccontextmanager
async def accessing(postgres: Postgres, access: Access) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection in a transaction that sees and writes what ``access`` may; the names end with it."""
    async with postgres.transaction() as connection:
        await connection.execute(_NAME, access.tenant, ",".join(access.roles), access.subject)
        yield connection

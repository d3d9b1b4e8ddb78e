"""SQL that tells PostgreSQL for whom a transaction reads and writes; row level security does the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from castor_chassis import Postgres, Unavailable
from rag_service.documents.model import Access

# A plan is made for the values each time: the one for any value reads nearly all documents where few match a filter.
_NAME = """
SELECT set_config('rag.tenant', $1, true), set_config('rag.roles', $2, true), set_config('rag.subject', $3, true),
       set_config('plan_cache_mode', 'force_custom_plan', true)
"""

_UNBOUND_ROLE = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"
_UNBOUND = (
    "the role '{role}' of DATABASE_URL is a superuser or has BYPASSRLS, so that every organisation could read the "
    "documents of all; use a role that is neither and owns the database"
)


@asynccontextmanager
async def accessing(postgres: Postgres, access: Access) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection in a transaction that sees and writes what ``access`` may; the names end with it."""
    # Roles are told as one text, separated by commas: one that holds a comma would be read as two.
    roles = ",".join(role for role in access.roles if "," not in role)
    async with postgres.transaction() as connection:
        await connection.execute(_NAME, access.tenant, roles, access.subject)
        yield connection


async def check_isolated(postgres: Postgres) -> None:
    """Raise ``Unavailable`` when row level security does not bind the role of the service."""
    role = await postgres.fetchval(_UNBOUND_ROLE)
    if role is not None:
        raise Unavailable(reason=_UNBOUND.format(role=role))

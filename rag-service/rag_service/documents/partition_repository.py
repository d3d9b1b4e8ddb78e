"""SQL of the partitions of the feed's documents: one a year, made ahead of the time that it is for."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import structlog

from castor_chassis import DatabaseUnavailable, Postgres
from rag_service.documents.repository import WRITER_LOCK

YEARS_AHEAD = 2
CROWDED_ROWS = 10_000
"""So many documents of one year are too many for the partition of all years that have none of their own."""
log = structlog.get_logger("castor.rag.partitions")

_EXISTING = """
SELECT substring(c.relname FROM '^documents_(\\d{4})$')::integer AS year
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'documents'::regclass AND c.relname ~ '^documents_\\d{4}$'
"""
_CROWDED = """
SELECT extract(year FROM published_at AT TIME ZONE 'UTC')::integer AS year FROM documents_other
GROUP BY 1 HAVING count(*) >= $1
"""
_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'documents'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


class PartitionRepository:
    """Makes partitions of the documents."""

    def __init__(self, postgres: Postgres, *, crowded_rows: int = CROWDED_ROWS) -> None:
        self._postgres = postgres
        self._crowded_rows = crowded_rows

    async def ensure(self, now: datetime) -> list[int]:
        """Make the partitions of this year, of the two after it, and of years that crowd the shared one.

        Returns the years made. What the shared partition holds of a year is moved into its own, in one transaction.
        """
        wanted = {now.year + ahead for ahead in range(YEARS_AHEAD + 1)}
        wanted |= {row["year"] for row in await self._postgres.fetch(_CROWDED, self._crowded_rows)}
        existing = {row["year"] for row in await self._postgres.fetch(_EXISTING)}
        missing = sorted(year for year in wanted - existing if 1000 <= year <= 9998)
        return [year for year in missing if await self._made(year)]

    async def _made(self, year: int) -> bool:
        """Make one partition, or log why it waits for the next time: what comes after does not wait for it."""
        try:
            async with self._postgres.transaction() as connection:
                # Readers of the table are waited for, and wait themselves meanwhile: not for long.
                await connection.execute("SET LOCAL lock_timeout = '5s'")
                await connection.execute(WRITER_LOCK)
                await _make(connection, year)
        except (asyncpg.LockNotAvailableError, DatabaseUnavailable) as error:
            log.warning("partition_not_made", year=year, reason=repr(error.__cause__ or error))
            return False
        log.info("partition_made", year=year)
        return True


async def _make(connection: asyncpg.Connection, year: int) -> None:
    name, begin, end = f"documents_{year}", f"'{year}-01-01 00:00:00+00'", f"'{year + 1}-01-01 00:00:00+00'"
    span = f"published_at >= {begin} AND published_at < {end}"
    columns = await connection.fetchval(_COLUMNS)
    # A table that is known to hold nothing else is attached without being read, under locks.
    table = f"{name} (LIKE documents INCLUDING ALL, CONSTRAINT span CHECK ({span}))"
    await connection.execute(f"CREATE TABLE {table} WITH (fillfactor = 85)")
    await connection.execute("SELECT rag_set_up_partition($1::text::regclass)", name)
    rows = f"FROM documents_other WHERE {span}"
    await connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} {rows}", timeout=600)
    # Of the partition itself, so that the counts, which the rows do not leave, stay as they are.
    await connection.execute(f"DELETE {rows}", timeout=600)
    attach = f"ALTER TABLE documents ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})"
    # Reads what the shared partition still holds.
    await connection.execute(attach, timeout=60)
    await connection.execute(f"ALTER TABLE {name} DROP CONSTRAINT span")

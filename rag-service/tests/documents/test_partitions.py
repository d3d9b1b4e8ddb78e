"""Partitions of the documents are made ahead of their time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from structlog.testing import capture_logs

from castor_chassis import Postgres
from rag_service.documents.model import Draft
from rag_service.documents.partition_repository import PartitionRepository
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository

LATER = datetime(2050, 1, 1, tzinfo=UTC)
_WHERE = "SELECT tableoid::regclass::text AS name, count(*) AS n FROM documents GROUP BY 1 ORDER BY 1"


async def _places(postgres: Postgres) -> dict[str, int]:
    return {row["name"]: row["n"] for row in await postgres.fetch(_WHERE)}


async def test_the_next_years_have_partitions_before_they_come(
    postgres: Postgres, documents: DocumentRepository
) -> None:
    """At the end of 2030 the years to 2032 are made, once; documents of them go there, those of others are shared."""
    partitions = PartitionRepository(postgres)
    now = datetime(2030, 12, 31, 23, tzinfo=UTC)
    assert await partitions.ensure(now) == [2030, 2031, 2032]
    assert await partitions.ensure(now) == []
    days = [datetime(year, 12, 31, 23, 59, tzinfo=UTC) for year in (2019, 2022, 2031, 2032, 2033)]
    await documents.save([Draft(f"d{day.year}", "Texto", "x", day) for day in days])
    assert await _places(postgres) == {
        "documents_2022": 1, "documents_2031": 1, "documents_2032": 1, "documents_other": 2,
    }  # fmt: skip


_PENDING_LISTS = """
SELECT c.relname AS name, c.reloptions AS options FROM pg_inherits h
JOIN pg_index x ON x.indrelid = h.inhrelid JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam
WHERE h.inhparent = 'documents'::regclass AND a.amname = 'gin'
"""


async def test_what_is_new_in_an_index_is_soon_sorted_in(postgres: Postgres) -> None:
    """A search reads the list of what is new in a GIN index from end to end: it is short in every partition."""
    await PartitionRepository(postgres).ensure(datetime(2030, 1, 1, tzinfo=UTC))
    found = {row["name"]: row["options"] for row in await postgres.fetch(_PENDING_LISTS)}
    assert {"documents_2022_lexemes_idx", "documents_other_datasets_idx", "documents_2031_lexemes_idx"} <= set(found)
    assert set(map(tuple, filter(None, found.values()))) == {("gin_pending_list_limit=128",)}
    assert None not in found.values()


async def test_what_came_before_its_partition_moves_into_it(
    postgres: Postgres, documents: DocumentRepository, embeddings: EmbeddingRepository, searches: SearchRepository
) -> None:
    """Documents of a year without a partition keep text, vector and counts when it is made; other years stay."""
    day = datetime(2041, 3, 1, tzinfo=UTC)
    await documents.save(
        [Draft("d1", "Hospital nuevo", "x", day), Draft("old", "Hospital viejo", "x", day.replace(year=2001))]
    )
    waiting = await embeddings.pending(9, 100)
    await embeddings.set_embeddings(waiting, Embeddings("m", 8, [[1.0] + [0.0] * 7] * 2))
    await PartitionRepository(postgres).ensure(datetime(2040, 6, 1, tzinfo=UTC))
    assert await _places(postgres) == {"documents_2041": 1, "documents_other": 1}
    for found in (
        await searches.lexical("hospital", Filters(as_of=LATER), 9),
        await searches.dense([1.0] + [0.0] * 7, "m", Filters(as_of=LATER), 9),
    ):
        assert {candidate.key[0] for candidate in found} == {"d1", "old"}
    counts = await embeddings.counts()
    assert (counts.documents, counts.embedded) == (2, 2)
    assert (await documents.save([Draft("d1", "Hospital nuevo", "x", day)])).unchanged == ["d1"]


async def test_a_year_that_crowds_the_shared_partition_gets_its_own(
    postgres: Postgres, documents: DocumentRepository
) -> None:
    """An import of many old tweets makes the partition of their year, not those of years with few."""
    days = [datetime(2012, 1, day, tzinfo=UTC) for day in range(1, 6)] + [datetime(2013, 1, 1, tzinfo=UTC)]
    await documents.save([Draft(f"d{number}", "Texto", "x", day) for number, day in enumerate(days)])
    made = await PartitionRepository(postgres, crowded_rows=5).ensure(datetime(2022, 1, 1, tzinfo=UTC))
    assert made == [2012]
    assert await _places(postgres) == {"documents_2012": 5, "documents_other": 1}


_READ = "SELECT n_tup_ins, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'documents_2061'"


async def test_a_filled_partition_is_attached_unread(postgres: Postgres, documents: DocumentRepository) -> None:
    """The documents of a year that move into its partition are written there, and not read again under locks."""
    day = datetime(2061, 3, 1, tzinfo=UTC)
    await documents.save([Draft(f"d{number}", "Texto", "x", day) for number in range(5)])
    await PartitionRepository(postgres).ensure(datetime(2061, 1, 1, tzinfo=UTC))

    async with asyncio.timeout(30):
        while tuple(await postgres.fetchrow(_READ) or ())[:1] != (5,):
            await asyncio.sleep(0.1)
    assert tuple(await postgres.fetchrow(_READ) or ()) == (5, 0)


async def test_a_year_that_cannot_be_made_holds_nothing_up(postgres: Postgres) -> None:
    """One year waits too long for a lock: it is logged and made the next time, the years after it are made."""
    partitions, now = PartitionRepository(postgres), datetime(2070, 1, 1, tzinfo=UTC)
    async with postgres.connection() as connection:
        other = connection.transaction()
        await other.start()
        await connection.execute("CREATE TABLE documents_2071 ()")
        with capture_logs() as entries:
            assert await partitions.ensure(now) == [2070, 2072]
        await other.rollback()
    assert [entry["year"] for entry in entries if entry["event"] == "partition_not_made"] == [2071]
    assert await partitions.ensure(now) == [2071]

"""What the search by meaning is measured against: statements on the same table and the same index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import asyncpg

from bench.rag.store import READER
from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.retrieval.conditions_repository import where_of
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository

MODEL, NEAREST, EXACT_ROWS = "bench", 10, 10_000
FILTERS = Filters(as_of=datetime.now(UTC), access=READER)
Ask = Callable[[list[float], str], Awaitable[list[str]]]

_NEAREST = """
SELECT id FROM documents_2022 WHERE datasets @> ARRAY[$2::text] AND vector_dims(embedding) = {dimensions}
ORDER BY embedding::halfvec({dimensions}) <=> $1::real[]::halfvec({dimensions}) LIMIT 10
"""
_EVERY_ROW = """
SELECT id FROM documents_2022 WHERE datasets @> ARRAY[$2::text]
ORDER BY embedding <=> $1::real[]::halfvec LIMIT 10
"""
_SAME_WORK = """
SELECT d.id FROM readable_documents d
WHERE d.embedding_model = $2 AND NOT d.embedding_refused AND {where} AND vector_dims(d.embedding) = {dimensions}
ORDER BY d.embedding::halfvec({dimensions}) <=> $1::real[]::halfvec({dimensions}) LIMIT 10
"""


class Peer:
    """A statement on a connection of its own, with its settings."""

    def __init__(self, connection: asyncpg.Connection, statement: str) -> None:
        self._connection, self._statement = connection, statement

    @classmethod
    async def on(cls, url: str, statement: str, **settings: str) -> Peer:
        """Connect and set."""
        connection = await asyncpg.connect(url)
        # The settings of an extension are known once it is loaded.
        await connection.execute("SELECT '[1]'::vector")
        # As the service: a plan for the values, where the one for any would read every row of a filter.
        for name, value in {"plan_cache_mode": "force_custom_plan", **settings}.items():
            await connection.execute(f"SET {name.replace('__', '.')} = {value}")
        return cls(connection, statement)

    async def ask(self, vector: list[float], dataset: str) -> list[str]:
        """Return the ids that the statement finds."""
        return [row["id"] for row in await self._connection.fetch(self._statement, vector, dataset)]


class SameWork:
    """pgvector's iterative scan in the service's place: all partitions, its conditions, its organisation named."""

    def __init__(self, url: str, dimensions: int, **settings: str) -> None:
        names = {name.replace("__", "."): value for name, value in settings.items()}
        asked = urlencode({"hnsw.iterative_scan": "relaxed_order", **names})
        self._database = Postgres(f"{url}?{asked}", size=1, timeout_seconds=60)
        self._dimensions = dimensions

    async def ask(self, vector: list[float], dataset: str) -> list[str]:
        """Return the ids that the index yields."""
        where, values = where_of(filters_of(dataset), first=3)
        sql = _SAME_WORK.format(where=where, dimensions=self._dimensions)
        async with accessing(self._database, READER) as connection:
            return [row["id"] for row in await connection.fetch(sql, vector, MODEL, *values)]

    async def open(self) -> SameWork:
        """Make the pool."""
        await self._database.open()
        return self


def filters_of(dataset: str) -> Filters:
    """Return the filters of a data set; ``all`` is none."""
    return FILTERS if dataset == "all" else replace(FILTERS, dataset=dataset)


async def ways_of(url: str, database: Postgres, dimensions: int) -> dict[str, Ask]:
    """Return everything that is asked, by name; the service first."""
    searches = SearchRepository(database, dimensions=dimensions, exact_rows=EXACT_ROWS)

    async def service(vector: list[float], dataset: str) -> list[str]:
        found = await searches.dense(vector, MODEL, filters_of(dataset), NEAREST)
        return [candidate.key[0] for candidate in found]

    near = _NEAREST.format(dimensions=dimensions)
    most = {"hnsw__ef_search": "1000", "hnsw__max_scan_tuples": "100000"}
    same = await SameWork(url, dimensions).open()
    harder = await SameWork(url, dimensions, **most).open()
    peers = {
        "pgvector as it comes": await Peer.on(url, near),
        "iterative, relaxed": await Peer.on(url, near, hnsw__iterative_scan="relaxed_order"),
        "iterative, strict": await Peer.on(url, near, hnsw__iterative_scan="strict_order"),
        "its index alone, iterative": await Peer.on(
            url, near, hnsw__iterative_scan="relaxed_order", enable_sort="off", enable_bitmapscan="off"
        ),
        "every row": await Peer.on(url, _EVERY_ROW, enable_indexscan="off"),
    }
    alike = {"iterative, the same work": same.ask, "and with most effort": harder.ask}
    return {"service": service, **alike, **{name: peer.ask for name, peer in peers.items()}}

"""Search by meaning over 100,000 chunks at four selectivities: recall, queries a second, waiting, memory, sizes.

``python -m bench rag_recall [--texts CSV] [--chunks 100000] [--queries 200] [--part PART] [--url URL]``

The vectors are those of the bundled encoder for the texts of a CSV (the bundled sample without one), repeated with
noise (``vectors.py``). Each chunk is in up to four data sets: of all, of a tenth, a hundredth and a thousandth. The
service's search is asked for the ten nearest of a data set, in turns with statements on the same table and the same
index: pgvector as it comes, with its iterative scan in either order, with nothing but its index, and every row.
Recall is against an exact comparison of the same half-precision vectors outside of PostgreSQL. Then the method of the
system before is timed on the first 1,050 and on all chunks.
With ``--url`` the database of an earlier run is used again.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np

from bench.rag.predecessor import seconds_of
from bench.rag.store import READER, database_at, opened, waiting_of
from bench.rag.vectors import Floats, embedded, noisy, texts_of
from castor_chassis import Postgres
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository

SHARES = {"all": 1, "tenth": 10, "hundredth": 100, "thousandth": 1000}
"""Data set: one of so many chunks is in it."""
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
NOW = datetime(2100, 1, 1, tzinfo=UTC)
MODEL, NEAREST, EXACT_ROWS = "bench", 10, 10_000
BLOCK = 10
"""So many queries of a way come one after another, so that each finds in memory what the one before it left there."""
Ask = Callable[[list[float], str], Awaitable[list[str]]]

# The graph of 100,000 vectors fits; with the 64 MB of `castor up` the index takes far longer to build.
_MEMORY = "ALTER ROLE CURRENT_USER SET maintenance_work_mem = '512MB'"
_STAGE = "CREATE TEMP TABLE staged (n integer, datasets text[], v real[])"
_INSERT = """
INSERT INTO documents (id, published_at, source, text, content_hash, searched, datasets, embedding, embedding_model)
SELECT 'd' || n, $1::timestamptz + n * interval '5 minutes', 'twitter', 'texto ' || n, n::text, 'texto ' || n, datasets,
       v::halfvec, 'bench'
FROM staged ORDER BY n
"""
_NEAREST = """
SELECT id FROM documents_2022 WHERE datasets @> ARRAY[$2::text] AND vector_dims(embedding) = {dimensions}
ORDER BY embedding::halfvec({dimensions}) <=> $1::real[]::halfvec({dimensions}) LIMIT 10
"""
_EVERY_ROW = """
SELECT id FROM documents_2022 WHERE datasets @> ARRAY[$2::text]
ORDER BY embedding <=> $1::real[]::halfvec LIMIT 10
"""


def datasets_of(number: int) -> list[str]:
    """Return the data sets that a chunk is in; scattered, so that none is a stretch of time."""
    place = number * 7919 % 1_000_003
    return [name for name, share in SHARES.items() if place % share == 0]


async def fill(connection: asyncpg.Connection, vectors: Floats) -> None:
    """Store the chunks."""
    await connection.execute(_STAGE)
    for first in range(0, len(vectors), 5000):
        rows = [(at, datasets_of(at), row.tolist()) for at, row in enumerate(vectors[first : first + 5000], first)]
        await connection.copy_records_to_table("staged", records=rows)
    await connection.execute(_INSERT, BEGIN, timeout=600)
    await connection.execute("ANALYZE documents", timeout=600)


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


async def ways_of(url: str, database: Postgres, dimensions: int) -> dict[str, Ask]:
    """Return everything that is asked, by name; the service first."""
    searches = SearchRepository(database, dimensions=dimensions, exact_rows=EXACT_ROWS)

    async def service(vector: list[float], dataset: str) -> list[str]:
        filters = Filters(as_of=NOW, access=READER, dataset=None if dataset == "all" else dataset)
        found = await searches.dense(vector, MODEL, filters, NEAREST)
        return [candidate.key[0] for candidate in found]

    near = _NEAREST.format(dimensions=dimensions)
    peers = {
        "pgvector as it comes": await Peer.on(url, near),
        "iterative, relaxed": await Peer.on(url, near, hnsw__iterative_scan="relaxed_order"),
        "iterative, strict": await Peer.on(url, near, hnsw__iterative_scan="strict_order"),
        "its index alone, iterative": await Peer.on(
            url, near, hnsw__iterative_scan="relaxed_order", enable_sort="off", enable_bitmapscan="off"
        ),
        "every row": await Peer.on(url, _EVERY_ROW, enable_indexscan="off"),
    }
    return {"service": service, **{name: peer.ask for name, peer in peers.items()}}


def truth_of(vectors: Floats, queries: Floats, dataset: str) -> list[set[str]]:
    """Return the ids of the nearest chunks of a data set for each query, by half-precision vectors."""
    members = np.array([at for at in range(len(vectors)) if dataset in datasets_of(at)])
    stored = vectors[members].astype(np.float16).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    best = np.argsort(-(queries.astype(np.float16).astype(np.float32) @ stored.T), axis=1)[:, :NEAREST]
    return [{f"d{members[at]}" for at in row} for row in best]


async def compare(ways: dict[str, Ask], vectors: Floats, queries: Floats) -> None:
    """Print recall, queries a second and waiting of each way at each selectivity, ten queries each in turns."""
    print(f"{'selectivity':>11}  {'':28}{'recall@10':>10}{'queries/s':>10}{'p50 ms':>8}{'p99 ms':>8}")
    for dataset, share in SHARES.items():
        truth = truth_of(vectors, queries, dataset)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        hits = dict.fromkeys(ways, 0)
        for first in range(0, len(queries), BLOCK):
            for name, ask in ways.items():
                for number in range(first, min(first + BLOCK, len(queries))):
                    # A slow way is asked less often.
                    if number % BLOCK and taken[name] and statistics.median(taken[name]) > 0.5:
                        break
                    begun = time.perf_counter()
                    found = await ask(queries[number].tolist(), dataset)
                    taken[name].append(time.perf_counter() - begun)
                    hits[name] += len(truth[number] & set(found))
        for name, times in taken.items():
            recall = hits[name] / (NEAREST * len(times))
            p50, p99 = waiting_of(times)
            rate = len(times) / sum(times)
            print(f"{100 / share:10g}%  {name:28}{recall:10.3f}{rate:10.1f}{p50:8.1f}{p99:8.1f}", flush=True)


async def sizes(connection: asyncpg.Connection, index: str) -> None:
    """Print the sizes of table and index."""
    row = await connection.fetchrow(
        "SELECT pg_size_pretty(pg_total_relation_size('documents_2022')) AS whole, "
        "pg_size_pretty(pg_relation_size(to_regclass($1))) AS index",
        index,
    )
    assert row is not None, "a row of functions is always one"
    print(f"partition with all its indexes {row['whole']}, of them {index} {row['index']}")


async def run(url: str, vectors: Floats, queries: Floats, part: str) -> float:
    """Fill and index if need be, compare, and return the seconds of one search of the service without a filter."""
    setting = await asyncpg.connect(url)
    await setting.execute(_MEMORY)
    await setting.close()
    async with opened(url) as database:
        await prepare(database, vectors)
        ways = await ways_of(url, database, vectors.shape[1])
        if part != "predecessor":
            await compare(ways, vectors, queries)
        print(memory(await database.fetchval("SELECT pg_backend_pid()")), flush=True)
        begun = time.perf_counter()
        for query in queries:
            await ways["service"](query.tolist(), "all")
    return (time.perf_counter() - begun) / len(queries)


async def prepare(database: Postgres, vectors: Floats) -> None:
    """Store and index the vectors where that was not done before, and print how fast and how large."""
    dimensions = vectors.shape[1]
    async with database.connection() as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM documents)"):
            begun = time.perf_counter()
            await fill(connection, vectors)
            print(f"stored {len(vectors) / (time.perf_counter() - begun):,.0f} chunks/s", flush=True)
        begun = time.perf_counter()
        await VectorIndexRepository(database, dimensions=dimensions, exact_rows=EXACT_ROWS).ensure()
        print(f"index ensured in {timedelta(seconds=round(time.perf_counter() - begun))}", flush=True)
        await sizes(connection, f"documents_2022_hnsw_{dimensions}")


def memory(backend: int) -> str:
    """Return in words what the server of a backend takes: the memory of its processes, shared pages counted once."""
    server = _parent_of(backend)
    running = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    processes = [one for one in running if server in (one, _parent_of(one))]
    kib = sum(int(line.split()[1]) for one in processes for line in _rollup(one) if line.startswith("Pss:"))
    return f"PostgreSQL's {len(processes)} processes hold {kib / 1024:,.0f} MiB (PSS)"


def _rollup(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return []


def _parent_of(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def against_predecessor(vectors: Floats, queries: Floats, service: float, sizes_asked: list[int]) -> None:
    """Print the seconds of a query of the system before, and its ratio to the service's with all chunks."""
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes_asked:
            asked = queries[: max(1, min(5, 20_000 // count))]
            before = seconds_of(Path(folder) / "store.sqlite", vectors[:count], asked)
            print(f"the system before, {count:,} documents: {before:.3f} s a query, {before / service:,.0f} times ours")


def main() -> None:
    """Measure on a PostgreSQL of its own, or at a given one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--part", choices=("all", "recall", "predecessor"), default="all")
    parser.add_argument("--url")
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    real = embedded(texts_of(options.texts), options.kept)
    vectors, queries = noisy(real, options.chunks, 1), noisy(real, options.queries, 2)
    print(f"{len(vectors):,} chunks of {len(real):,} embedded texts with noise, {len(queries)} queries")
    with database_at(options.url) as url:
        service = asyncio.run(run(url, vectors, queries, options.part))
    if options.part != "recall":
        against_predecessor(vectors, queries, service, [min(1_050, options.chunks), options.chunks])


if __name__ == "__main__":
    main()

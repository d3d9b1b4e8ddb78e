"""Search by meaning over 100,000 chunks at four selectivities: recall, queries a second, waiting, memory, sizes.

``python -m bench rag_recall [--texts CSV] [--chunks 100000] [--queries 200] [--part PART] [--url URL]``

The vectors are those of the bundled encoder for the texts of a CSV (the bundled sample without one), repeated with
noise (``vectors.py``). Each chunk is in up to four data sets: of all, of a tenth, a hundredth and a thousandth. The
service's search by meaning, no other part of a search, is asked for the ten nearest of a data set, in turns with
statements on the same table and the same index. "The same work" is pgvector's iterative scan under the service's
conditions: all partitions, model, time and organisation, in a transaction that names it; with most effort it has
ef_search 1000 and max_scan_tuples 100000. The other statements are bare, on the one partition that holds the chunks:
pgvector as it comes, its iterative scan in either order, nothing but its index, and every row. Recall is against an
exact comparison of the same half-precision vectors outside of PostgreSQL. The processor time of a query is that of
PostgreSQL and of this process together: other work on the machine changes it less than the waiting. Then the method of
the system before is timed on the first 1,050 and on all chunks.
With ``--url`` the database of an earlier run is used again.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np

from bench.rag.peers import EXACT_ROWS, NEAREST, Ask, ways_of
from bench.rag.predecessor import seconds_of
from bench.rag.store import database_at, opened, waiting_of
from bench.rag.vectors import Floats, embedded, noisy, texts_of
from castor_chassis import Postgres
from rag_service.retrieval.vector_index_repository import VectorIndexRepository

SHARES = {"all": 1, "tenth": 10, "hundredth": 100, "thousandth": 1000}
"""Data set: one of so many chunks is in it."""
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
BLOCK = 10
"""So many queries of a way come one after another, so that each finds in memory what the one before it left there."""

# The graph of 100,000 vectors fits; with the 64 MB of `castor up` the index takes far longer to build.
_MEMORY = "ALTER ROLE CURRENT_USER SET maintenance_work_mem = '512MB'"
_STAGE = "CREATE TEMP TABLE staged (n integer, datasets text[], v real[])"
_INSERT = """
INSERT INTO documents (id, published_at, source, text, content_hash, searched, datasets, embedding, embedding_model)
SELECT 'd' || n, $1::timestamptz + n * interval '5 minutes', 'twitter', 'texto ' || n, n::text, 'texto ' || n, datasets,
       v::halfvec, 'bench'
FROM staged ORDER BY n
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


def truth_of(vectors: Floats, queries: Floats, dataset: str) -> list[set[str]]:
    """Return the ids of the nearest chunks of a data set for each query, by half-precision vectors."""
    members = np.array([at for at in range(len(vectors)) if dataset in datasets_of(at)])
    stored = vectors[members].astype(np.float16).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    best = np.argsort(-(queries.astype(np.float16).astype(np.float32) @ stored.T), axis=1)[:, :NEAREST]
    return [{f"d{members[at]}" for at in row} for row in best]


@dataclass
class Measured:
    """What one way took at one selectivity: seconds of each query, milliseconds of processors, how many it found."""

    times: list[float] = field(default_factory=list)
    processor_ms: float = 0
    hits: int = 0

    @property
    def slow(self) -> bool:
        """Whether it is asked one query of ten."""
        return bool(self.times) and statistics.median(self.times) > 0.5

    def __str__(self) -> str:
        queries, (p50, p99) = len(self.times), waiting_of(self.times)
        rates = f"{self.hits / (NEAREST * queries):10.3f}{queries / sum(self.times):10.1f}"
        return f"{rates}{p50:8.1f}{p99:8.1f}{self.processor_ms / queries:8.1f}"


async def compare(ways: dict[str, Ask], vectors: Floats, queries: Floats, server: int, datasets: Sequence[str]) -> None:
    """Print recall, queries a second and waiting of each way in each data set, ten queries each in turns."""
    print(f"{'selectivity':>11}  {'':28}{'recall@10':>10}{'queries/s':>10}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}")
    for dataset in datasets:
        truth = truth_of(vectors, queries, dataset)
        measured = {name: Measured() for name in ways}
        for first in range(0, len(queries), BLOCK):
            for name, ask in ways.items():
                before, own = spent_ns(server), time.process_time()
                numbers = range(first, min(first + (1 if measured[name].slow else BLOCK), len(queries)))
                for number in numbers:
                    begun = time.perf_counter()
                    found = await ask(queries[number].tolist(), dataset)
                    measured[name].times.append(time.perf_counter() - begun)
                    measured[name].hits += len(truth[number] & set(found))
                measured[name].processor_ms += 1000 * (time.process_time() - own) + ms_since(before, server)
        for name, one in measured.items():
            print(f"{100 / SHARES[dataset]:10g}%  {name:28}{one}", flush=True)


async def sizes(connection: asyncpg.Connection, index: str) -> None:
    """Print the sizes of table and index."""
    row = await connection.fetchrow(
        "SELECT pg_size_pretty(pg_total_relation_size('documents_2022')) AS whole, "
        "pg_size_pretty(pg_relation_size(to_regclass($1))) AS index",
        index,
    )
    assert row is not None, "a row of functions is always one"
    print(f"partition with all its indexes {row['whole']}, of them {index} {row['index']}")


async def run(url: str, vectors: Floats, queries: Floats, part: str, datasets: Sequence[str]) -> float:
    """Fill and index if need be, compare, and return the seconds of one search of the service without a filter."""
    setting = await asyncpg.connect(url)
    await setting.execute(_MEMORY)
    await setting.close()
    async with opened(url) as database:
        await prepare(database, vectors)
        ways = await ways_of(url, database, vectors.shape[1])
        server = _parent_of(await database.fetchval("SELECT pg_backend_pid()"))
        if part != "predecessor":
            await compare(ways, vectors, queries, server, datasets)
        print(memory(server), flush=True)
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


def processes_of(server: int) -> list[int]:
    """Return the server and its children."""
    running = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [one for one in running if server in (one, _parent_of(one))]


def spent_ns(server: int) -> dict[int, int]:
    """Return how many nanoseconds each process of a server has run."""
    return {one: _spent_ns(one) for one in processes_of(server)}


def ms_since(before: dict[int, int], server: int) -> float:
    """Return how many milliseconds the processes of a server have run since, without those that ended meanwhile."""
    return sum(spent - before.get(one, 0) for one, spent in spent_ns(server).items()) / 1e6


def memory(server: int) -> str:
    """Return in words what a server takes: the memory of its processes, shared pages counted once."""
    processes = processes_of(server)
    kib = sum(int(line.split()[1]) for one in processes for line in _rollup(one) if line.startswith("Pss:"))
    return f"PostgreSQL's {len(processes)} processes hold {kib / 1024:,.0f} MiB (PSS)"


def _spent_ns(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])
    except OSError:
        return 0


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
    parser.add_argument("--datasets", choices=SHARES, nargs="+", default=list(SHARES))
    parser.add_argument("--url")
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    real = embedded(texts_of(options.texts), options.kept)
    vectors, queries = noisy(real, options.chunks, 1), noisy(real, options.queries, 2)
    print(f"{len(vectors):,} chunks of {len(real):,} embedded texts with noise, {len(queries)} queries")
    with database_at(options.url) as url:
        service = asyncio.run(run(url, vectors, queries, options.part, options.datasets))
    if options.part != "recall":
        against_predecessor(vectors, queries, service, [min(1_050, options.chunks), options.chunks])


if __name__ == "__main__":
    main()

"""rag-service on its own PostgreSQL at a third of a million tweets, most of which have no vector yet.

``python -m bench rag_size [--tweets 333000] [--vectors 20000]``: invented tweets are stored page by page as the feed
brings them; the newest ``vectors`` of them get invented vectors. Then searches, the status, the next batch to embed and
the look-up of a filter's name are asked for, in rounds that alternate, without a model of embeddings in the way.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.rag.store import PAGE, READER, database_at, opened, tweets, waiting_of
from castor_chassis import Postgres
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.fusion import fuse
from rag_service.retrieval.model import Candidate, Filters
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository

DIMENSIONS, ROUNDS = 384, 40
QUESTIONS = (
    "¿Qué se dice de la reforma a la salud?",
    "impuestos más altos en Bogotá",
    "¿Quién defendió el acuerdo de paz en Medellín?",
    "camino pareza soloso",
    "el candidato prometió empleo",
)


async def fill(documents: DocumentRepository, count: int) -> float:
    """Store ``count`` tweets as pages of the feed; return how many a second."""
    begun = time.perf_counter()
    for first in range(0, count, PAGE):
        await documents.apply_page(tweets(first, min(PAGE, count - first)), [], first + PAGE)
    return count / (time.perf_counter() - begun)


async def embed(embeddings: EmbeddingRepository, count: int) -> float:
    """Give the newest ``count`` documents vectors of random directions; return how many a second were stored."""
    draw = np.random.default_rng(1)
    begun = time.perf_counter()
    for _ in range(0, count, PAGE):
        pending = await embeddings.pending(PAGE, 8000)
        rows = draw.standard_normal((len(pending), DIMENSIONS))
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        await embeddings.set_embeddings(pending, Embeddings("bench", DIMENSIONS, unit.tolist()))
    return count / (time.perf_counter() - begun)


class Asked:
    """What is measured: each method does once what a request or a worker does."""

    def __init__(self, database: Postgres, newest: datetime) -> None:
        self._searches = SearchRepository(database, dimensions=DIMENSIONS, exact_rows=10_000)
        self._embeddings = EmbeddingRepository(database)
        self._now = newest
        self._vector = np.eye(1, DIMENSIONS)[0].tolist()

    def _filters(self, **given: str) -> Filters:
        return Filters(as_of=self._now, access=READER, **given)  # type: ignore[arg-type]

    async def search(self, question: str, **given: str) -> None:
        """Find by words and by meaning, fuse, and read the best ten."""
        filters = self._filters(**given)
        lexical, dense = await asyncio.gather(
            self._searches.lexical(question, filters, 50), self._searches.dense(self._vector, "bench", filters, 50)
        )
        best = sorted(fuse(_ranks(lexical), _ranks(dense)))[:10]
        await self._searches.documents(best, READER)

    async def lexical(self, question: str) -> None:
        """Find by words."""
        await self._searches.lexical(question, self._filters(), 50)

    async def dense(self, _: str) -> None:
        """Find by meaning."""
        await self._searches.dense(self._vector, "bench", self._filters(), 50)

    async def of_an_entity(self, question: str) -> None:
        """Search what is said of an entity."""
        await self.search(question, entity="petro")

    async def status(self, _: str) -> None:
        """Count documents, embedded, pending and refused."""
        await self._embeddings.counts(READER)

    async def pending(self, _: str) -> None:
        """Read the next batch to embed."""
        await self._embeddings.pending(256, 8000)

    async def unknown(self, _: str) -> None:
        """Look whether a filter's name exists; it does not."""
        await self._searches.unknown(self._filters(entity="nobody"))


def _ranks(found: Sequence[Candidate]) -> dict[tuple[str, datetime], int]:
    return {candidate.key: rank for rank, candidate in enumerate(found, 1)}


async def measure(ways: dict[str, Callable[[str], Awaitable[None]]]) -> None:
    """Print p50 and p99 of each way, rounds alternating."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name, ask in ways.items():
            begun = time.perf_counter()
            await ask(QUESTIONS[turn % len(QUESTIONS)])
            taken[name].append(time.perf_counter() - begun)
    for name, times in taken.items():
        p50, p99 = waiting_of(times)
        print(f"{name:22} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms")


async def run(url: str, count: int, vectors: int) -> None:
    """Fill a database and measure."""
    async with opened(url) as database:
        print(f"stored {await fill(DocumentRepository(database), count):,.0f} tweets/s")
        print(f"vectors {await embed(EmbeddingRepository(database), vectors):,.0f}/s")
        indexes = VectorIndexRepository(database, dimensions=DIMENSIONS, exact_rows=10_000)
        print(f"vector indexes {await indexes.ensure()}")
        asked = Asked(database, datetime.now(UTC) + timedelta(days=365))
        await measure(
            {
                "search": asked.search,
                "  by words": asked.lexical,
                "  by meaning": asked.dense,
                "search of an entity": asked.of_an_entity,
                "status": asked.status,
                "next batch to embed": asked.pending,
                "name of a filter": asked.unknown,
            }
        )


def main() -> None:
    """Run a PostgreSQL of its own and measure there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=333_000)
    parser.add_argument("--vectors", type=int, default=20_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with database_at(options.url) as url:
        asyncio.run(run(url, options.tweets, options.vectors))


if __name__ == "__main__":
    main()

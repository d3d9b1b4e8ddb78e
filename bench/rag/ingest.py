"""100,000 chunks into rag-service's store while the embedding server is killed twice: what is lost or done twice.

``python -m bench rag_ingest [--chunks 100000] [--url URL]``: tweets are stored page by page as the feed brings them,
then the service's worker embeds them by a server in a process of its own (the fast bundled encoder), which is killed
with SIGKILL after a third and after two thirds, and started again two seconds later. Then every document is read back:
its id, whether it has a vector, and of a thousand whether it is that of its text. The encoder's own speed is printed
beside. With ``--url`` documents that an earlier run stored or embedded are not stored or embedded again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from functools import partial
from subprocess import Popen

import numpy as np

from bench.rag import encoder_process
from bench.rag.store import PAGE, database_at, opened, tweets
from castor_chassis import Peer, PeerError, Postgres
from castor_chassis.client.peer import PeerPolicy
from castor_chassis.testing import until
from castor_devstack.stack.ports import PortLeases
from rag_service.clients.openai import OpenAIClient
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.encoder import Encoder
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.embeddings.worker import Embedder
from rag_service.metrics import EMBEDDED
from rag_service.settings import RagSettings

DIMENSIONS, BATCH, CONCURRENCY = 192, 128, 2
CHECKED = 1000
_ALL = """
SELECT count(*) AS rows, count(DISTINCT id) AS ids, count(*) FILTER (WHERE embedding IS NOT NULL) AS embedded
FROM documents
"""
_SOME = "SELECT searched, embedding::vector::real[] AS vector FROM documents WHERE id = ANY($1::text[])"


async def store(documents: DocumentRepository, count: int) -> None:
    """Store what is not stored yet, and print how fast."""
    begun, first = time.perf_counter(), int(await documents.cursor())
    for page in range(first, count, PAGE):
        await documents.apply_page(tweets(page, PAGE), [], page + PAGE)
    if first < count:
        print(f"stored {(count - first) / (time.perf_counter() - begun):,.0f} chunks/s", flush=True)


class KilledServer:
    """The embedding server, and when it is killed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._process: Popen[bytes] = encoder_process.start(port)
        self.kills = 0

    async def kill(self) -> None:
        """Kill it in the middle of its work; start it again after two seconds."""
        self._process.kill()
        self._process.wait()
        self.kills += 1
        await asyncio.sleep(2)
        self._process = await asyncio.to_thread(encoder_process.start, self._port)

    def end(self) -> None:
        """Kill it for good."""
        self._process.kill()
        self._process.wait()


async def embed(embeddings: EmbeddingRepository, embedder: Embedder, server: KilledServer, count: int) -> float:
    """Embed what has no vector yet, killing the server twice; return how many chunks a second."""
    begun, already = time.perf_counter(), (await embeddings.counts()).embedded
    running = asyncio.create_task(_again(embedder))

    async def has(embedded: float) -> bool:
        return (await embeddings.counts()).embedded >= embedded

    for share in (1 / 3, 2 / 3):
        await until(partial(has, already + share * (count - already)), seconds=3600)
        await server.kill()
    await until(partial(has, count), seconds=3600)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return (count - already) / (time.perf_counter() - begun)


async def _again(embedder: Embedder) -> None:
    # What the service's background work does: begin again when it fails.
    while True:
        with contextlib.suppress(PeerError):
            await embedder.run()
        await asyncio.sleep(0.5)


async def check(database: Postgres, count: int) -> None:
    """Print what is there, and how many vectors were stored."""
    async with database.connection() as connection:
        row = await connection.fetchrow(_ALL, timeout=600)
    assert row is not None
    print(
        f"{count - row['ids']:,} lost, {row['rows'] - row['ids']:,} twice, {count - row['embedded']:,} without a vector"
    )
    print(f"{EMBEDDED._value.get():,.0f} vectors stored")
    chosen = [f"tweet:{number}" for number in random.Random(1).sample(range(count), CHECKED)]
    rows = await database.fetch(_SOME, chosen)
    right = encoder_process.vectors_of([row["searched"] for row in rows])
    found = np.array([row["vector"] for row in rows])
    print(f"of {len(rows):,} vectors {int((np.sum(right * found, axis=1) < 0.999).sum())} are not those of their text")


async def run(url: str, count: int, port: int) -> None:
    """Store, embed, check."""
    async with opened(url) as database:
        await store(DocumentRepository(database), count)
        server = KilledServer(port)
        settings = RagSettings(embedding_dimensions=DIMENSIONS, embedding_batch=BATCH, database_url=url)
        policy = PeerPolicy(attempts=1, attempt_timeout_seconds=20, reset_seconds=1)
        peer = Peer("openai-service", f"http://127.0.0.1:{port}", policy=policy)
        embeddings = EmbeddingRepository(database)
        encoder = Encoder(OpenAIClient(peer, settings), DIMENSIONS)
        rate = await embed(
            embeddings, Embedder(embeddings, encoder, batch=BATCH, concurrency=CONCURRENCY), server, count
        )
        print(f"embedded {rate:,.0f} chunks/s, with the server killed {server.kills} times")
        server.end()
        await peer.close()
        await check(database, count)
    texts = [draft.searched for draft in tweets(0, 20_000)]
    begun = time.perf_counter()
    encoder_process.vectors_of(texts)
    print(f"the encoder alone {len(texts) / (time.perf_counter() - begun):,.0f} texts/s")


def main() -> None:
    """Run a PostgreSQL and the embedding server, and measure there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    port = PortLeases().choose({"encoder": 0})["encoder"]
    with database_at(options.url) as url:
        asyncio.run(run(url, options.chunks, port))


if __name__ == "__main__":
    main()

"""The encoder is killed in the middle of its work, twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from castor_chassis import Peer, PeerError, Postgres
from castor_chassis.client.peer import PeerPolicy
from castor_chassis.testing import Authority, until
from castor_chassis.testing.peer import reserved_port
from castor_chassis.tls import TlsIdentity
from rag_service.clients.openai import OpenAIClient
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.encoder import Encoder
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.embeddings.worker import Embedder
from rag_service.settings import RagSettings

if TYPE_CHECKING:
    from conftest import FakeOpenAI

_ROWS = "SELECT count(*) AS rows, count(DISTINCT id) AS ids, count(embedding) AS vectors FROM documents"


async def test_an_encoder_that_is_killed_twice_costs_no_vector(
    documents: DocumentRepository,
    embeddings: EmbeddingRepository,
    postgres: Postgres,
    unheard_openai: FakeOpenAI,
    authority: Authority,
    tmp_path: Path,
) -> None:
    """Its port goes away with requests in flight and comes back: every document has its vector, none is there twice."""
    files = authority.write(tmp_path / "encoder", "openai-service")
    caller = TlsIdentity(authority.write(tmp_path / "caller", "rag-service"))
    await documents.save([Draft(f"d{number}", f"Escuela rural {number}", "x") for number in range(300)])
    with reserved_port() as port:
        policy = PeerPolicy(attempts=1, reset_seconds=0.05)
        peer = Peer("openai-service", f"https://127.0.0.1:{port}", policy=policy, tls=caller)
        encoder = Encoder(OpenAIClient(peer, RagSettings(embedding_dimensions=8)), 8)
        running = asyncio.ensure_future(_again(Embedder(embeddings, encoder, batch=10, concurrency=2)))
        for share in (100, 200, 300):

            async def is_done(share: int = share) -> bool:
                return (await embeddings.counts()).embedded >= share

            async with unheard_openai.peer.listening(files, port):
                await until(is_done)
        running.cancel()
        await peer.close()
    row = await postgres.fetchrow(_ROWS)
    assert row is not None
    assert tuple(row) == (300, 300, 300)
    assert set(unheard_openai.embedded) == {f"Escuela rural {number}" for number in range(300)}


async def _again(embedder: Embedder) -> None:
    # As the service's background work does.
    while True:
        with suppress(PeerError):
            await embedder.run()
        await asyncio.sleep(0.05)

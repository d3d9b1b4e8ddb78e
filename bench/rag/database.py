"""rag-service's search on a PostgreSQL of its own, with the bundled encoder in this process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.stores import postgres_server, url_in
from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from openai_service.embeddings.transformer import TransformerEncoder
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings, PendingDocument
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.service import RetrievalService
from rag_service.text.normal import searchable

DIMENSIONS, BATCH = 384, 500
Vectors = npt.NDArray[np.float32]


class LocalEncoder:
    """What openai-service answers for a query, without the way to it."""

    def __init__(self, encoder: TransformerEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, list[float]] = {}

    async def embed_query(self, text: str) -> Embeddings:
        """Return the vector of a query."""
        plain = searchable(text)
        if plain not in self._known:
            encoded = await asyncio.to_thread(self._encoder.encode, [plain], "query")
            self._known[plain] = [float(value) for value in encoded[0]]
        return Embeddings(self._encoder.model, DIMENSIONS, [self._known[plain]])

    async def embed_now(self, texts: list[str]) -> Embeddings:
        """Return the vectors of sentences."""
        encoded = await asyncio.to_thread(self._encoder.encode, texts, "passage")
        return Embeddings(self._encoder.model, DIMENSIONS, [[float(value) for value in row] for row in encoded])


def vectors_of(texts: Sequence[str], encoder: TransformerEncoder) -> Vectors:
    """Return the vectors of passages; they are kept in a file of CASTOR_CACHE or of the system's temporary folder."""
    plain = [searchable(text) for text in texts]
    digest = hashlib.sha256("\0".join([encoder.model, *plain]).encode()).hexdigest()[:16]
    path = Path(os.environ.get("CASTOR_CACHE") or tempfile.gettempdir()) / f"castor-bench-{digest}.npy"
    if path.is_file():
        return np.asarray(np.load(path), dtype=np.float32)
    made = [encoder.encode(plain[start : start + 256], "passage") for start in range(0, len(plain), 256)]
    found: Vectors = np.concatenate(made).astype(np.float32)
    np.save(path, found)
    return found


@asynccontextmanager
async def searched(drafts: Sequence[Draft], encoder: TransformerEncoder) -> AsyncIterator[RetrievalService]:
    """Run the search over ``drafts``, all embedded."""
    vectors = await asyncio.to_thread(vectors_of, [draft.text for draft in drafts], encoder)
    with postgres_server(fast=True) as server:
        url = url_in(server)
        await migrate(url, "rag_service")
        postgres = Postgres(url)
        await postgres.open()
        try:
            await _store(postgres, drafts, vectors, encoder.model)
            searches = SearchRepository(postgres, dimensions=DIMENSIONS, exact_rows=10 * len(drafts))
            local: Any = LocalEncoder(encoder)
            yield RetrievalService(searches, local)
        finally:
            await postgres.close()


async def _store(postgres: Postgres, drafts: Sequence[Draft], vectors: Vectors, model: str) -> None:
    documents, embeddings = DocumentRepository(postgres), EmbeddingRepository(postgres)
    for start in range(0, len(drafts), BATCH):
        batch = drafts[start : start + BATCH]
        await documents.save(batch)
        rows = [[float(value) for value in vector] for vector in vectors[start : start + BATCH]]
        pending = [
            PendingDocument((draft.id, draft.published_at), draft.content_hash, "")
            for draft in batch
            if draft.published_at
        ]
        await embeddings.set_embeddings(pending, Embeddings(model, DIMENSIONS, rows))
    await postgres.execute("ANALYZE documents")

"""Background work: embeds the documents that wait for it, and measures how many do.

Documents are stored before they are embedded, so a dead encoder delays vectors and loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from castor_chassis import PeerError, PeerRejected, ServiceError
from rag_service.embeddings.encoder import Encoder
from rag_service.embeddings.model import PendingDocument
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.errors import EmbeddingUnusable, VectorNotFinite
from rag_service.metrics import DOCUMENTS, EMBEDDED, PENDING, REFUSED

ENCODED_CHARACTERS = 8_000
"""Of a longer text only the beginning is embedded; encoders cut there or earlier. Words are indexed whole."""
IDLE_SECONDS = 0.5
MODEL_CHECK_SECONDS = 60.0
_PROBE = "elecciones"
Refused = tuple[PendingDocument, ServiceError]
"""A document that the encoder refused, and why."""
log = structlog.get_logger("castor.rag.embeddings")


class Embedder:
    """Gives pending documents their vectors, ``concurrency`` batches at a time; it waits while ``yields`` says so."""

    def __init__(
        self,
        documents: EmbeddingRepository,
        encoder: Encoder,
        *,
        batch: int,
        concurrency: int,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        self._documents = documents
        self._encoder = encoder
        self._batch = batch
        self._concurrency = concurrency
        self._yields = yields

    async def run(self) -> None:
        """Embed until cancelled. Raises what the encoder or the database raise, and can then be run again."""
        checked = time.monotonic()
        while True:
            if not self._yields() and await self.step():
                continue
            if time.monotonic() - checked >= MODEL_CHECK_SECONDS:
                await self.check_model()
                checked = time.monotonic()
            await asyncio.sleep(IDLE_SECONDS)

    async def check_model(self) -> None:
        """Ask which model embeds now; documents embedded by another model or version are then pending.

        Without this, a new model would be noticed at the next new document only, and until then queries embedded by
        it would find no vector. Does nothing before the first document is embedded.
        """
        if (await self._documents.counts()).model is None:
            return
        try:
            embeddings = await self._encoder.embed([_PROBE])
        except (PeerError, EmbeddingUnusable) as error:
            log.warning("model_not_checked", reason=str(error))
            return
        await self._documents.adopt(embeddings.model, embeddings.dimensions)

    async def step(self) -> int:
        """Embed up to ``batch * concurrency`` pending documents; return how many there were."""
        pending = await self._documents.pending(self._batch * self._concurrency, ENCODED_CHARACTERS)
        if not pending:
            await self._documents.end_change()
        batches = [pending[first : first + self._batch] for first in range(0, len(pending), self._batch)]
        outcomes = await asyncio.gather(*(self._embed(batch) for batch in batches), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(pending)

    async def _embed(self, batch: Sequence[PendingDocument]) -> None:
        refused = await self._embed_or_split(batch)
        aside = refused if len(refused) < len(batch) else await self._without_a_vector(refused)
        if aside:
            log.warning("texts_refused", ids=[item.key[0] for item, _ in aside], reason=str(aside[0][1]))
            await self._documents.refuse([item for item, _ in aside])
        for _, error in refused if len(aside) < len(refused) else ():
            if not _is_about_vector(error):
                raise error

    async def _without_a_vector(self, refused: list[Refused]) -> list[Refused]:
        """Return those of a batch of which nothing was embedded that are set aside even so.

        Where every text was refused the fault may be in the request or the model. A text of which the model makes no
        vector is at fault by itself, once the model made one of another text; the others wait.
        """
        found = [(item, error) for item, error in refused if _is_about_vector(error)]
        if found:
            await self._encoder.embed([_PROBE])
        return found

    async def _embed_or_split(self, batch: Sequence[PendingDocument]) -> list[Refused]:
        """Embed what can be embedded; return the rest."""
        try:
            embeddings = await self._encoder.embed([item.text for item in batch])
        except (PeerRejected, VectorNotFinite) as error:
            if not _is_about_texts(error):
                raise
            return await self._split(batch, error)
        await self._documents.set_embeddings(batch, embeddings)
        EMBEDDED.inc(len(batch))
        return []

    async def _split(self, batch: Sequence[PendingDocument], error: ServiceError) -> list[Refused]:
        if len(batch) == 1:
            return [(batch[0], error)]
        middle = len(batch) // 2
        return await self._embed_or_split(batch[:middle]) + await self._embed_or_split(batch[middle:])


def _is_about_texts(error: PeerRejected | VectorNotFinite) -> bool:
    """Return whether the fault may be in one of the texts, so that the others can be embedded without it."""
    if isinstance(error, PeerRejected) and (error.peer_status == 413 or error.peer_code == "validation_error"):
        return True
    return _is_about_vector(error)


def _is_about_vector(error: ServiceError) -> bool:
    """Return whether the model made of a text what is no vector."""
    return isinstance(error, VectorNotFinite) or (
        isinstance(error, PeerRejected) and error.peer_code == "text_not_embedded"
    )


async def measure(documents: EmbeddingRepository) -> None:
    """Set the gauges."""
    counts = await documents.counts()
    DOCUMENTS.set(counts.documents)
    PENDING.set(counts.pending)
    REFUSED.set(counts.refused)

"""Background work: the feed becomes documents, documents get embeddings, partitions get vector indexes.

Storing and embedding are two steps: a dead encoder delays vectors and loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from castor_chassis.wire.errors import PeerError, PeerRejected
from rag_service.documents.model import ENCODED_CHARACTERS, TWEET_PREFIX, Draft, Pending
from rag_service.documents.repository import DocumentStore, Embeddings
from rag_service.errors import EmbeddingUnusable
from rag_service.metrics import DOCUMENTS, EMBEDDED, PENDING, REFUSED, VECTOR_INDEXES
from rag_service.retrieval.repository import SearchStore

IDLE_SECONDS = 0.5
MODEL_CHECK_SECONDS = 60.0
_PROBE = "elecciones"
log = structlog.get_logger("castor.rag.indexing")


class Tweet(Protocol):
    """A change of a tweet."""

    id: str
    deleted: bool

    def draft(self) -> Draft:
        """Return the tweet as a document."""


class Encoder(Protocol):
    """Turns texts into vectors."""

    async def embed(self, texts: list[str]) -> Embeddings:
        """Return one vector per text; raises ``PeerRejected`` when a text is unacceptable."""


async def store_page(store: DocumentStore, tweets: Sequence[Tweet], next_cursor: str) -> None:
    """Make one page of the feed documents, and move the cursor, in one transaction."""
    latest = {tweet.id: tweet for tweet in tweets}
    drafts = [tweet.draft() for tweet in latest.values() if not tweet.deleted]
    erased = [TWEET_PREFIX + tweet.id for tweet in latest.values() if tweet.deleted]
    # A tweet of nothing but a picture has no words to find or to quote.
    drafts = [draft for draft in drafts if draft.text.strip()]
    await store.apply_page(drafts, erased, int(next_cursor))


class Embedder:
    """Gives pending documents their vectors, ``concurrency`` batches at a time."""

    def __init__(self, store: DocumentStore, encoder: Encoder, *, batch: int, concurrency: int) -> None:
        self._store = store
        self._encoder = encoder
        self._batch = batch
        self._concurrency = concurrency

    async def run(self) -> None:
        """Embed for ever. Raises what the encoder or the database raise; nothing is lost by it."""
        checked = time.monotonic()
        while True:
            if await self.step():
                continue
            if time.monotonic() - checked >= MODEL_CHECK_SECONDS:
                await self.check_model()
                checked = time.monotonic()
            await asyncio.sleep(IDLE_SECONDS)

    async def check_model(self) -> None:
        """Ask who embeds now, if anyone has; documents of another model or version are then pending.

        Without it, a new encoder would be noticed by the next new document, and until then no vector be found.
        """
        if (await self._store.counts()).model is None:
            return
        try:
            embeddings = await self._encoder.embed([_PROBE])
        except (PeerError, EmbeddingUnusable) as error:
            log.warning("model_not_checked", reason=str(error))
            return
        await self._store.adopt(embeddings.model, embeddings.dimensions)

    async def step(self) -> int:
        """Embed what is pending, up to ``batch * concurrency``; return how many were looked at."""
        pending = await self._store.pending(self._batch * self._concurrency, ENCODED_CHARACTERS)
        batches = [pending[first : first + self._batch] for first in range(0, len(pending), self._batch)]
        outcomes = await asyncio.gather(*(self._embed(batch) for batch in batches), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(pending)

    async def _embed(self, batch: Sequence[Pending]) -> None:
        refused, reason = await self._embed_or_split(batch)
        if refused and len(refused) == len(batch):
            # Not one was taken: the fault is in how we ask, not in the texts, so none of them is marked.
            raise reason or AssertionError("a refusal has a reason")
        if refused:
            log.warning("texts_refused", ids=[item.key[0] for item in refused], reason=str(reason))
            await self._store.refuse(refused)

    async def _embed_or_split(self, batch: Sequence[Pending]) -> tuple[list[Pending], PeerRejected | None]:
        try:
            embeddings = await self._encoder.embed([item.text for item in batch])
        except PeerRejected as error:
            if error.peer_status != 413 and error.peer_code != "validation_error":
                raise  # the fault is not in the texts
            return await self._split(batch, error)
        await self._store.set_embeddings(batch, embeddings)
        EMBEDDED.inc(len(batch))
        return [], None

    async def _split(self, batch: Sequence[Pending], error: PeerRejected) -> tuple[list[Pending], PeerRejected]:
        if len(batch) == 1:
            return list(batch), error
        middle = len(batch) // 2
        first, _ = await self._embed_or_split(batch[:middle])
        second, _ = await self._embed_or_split(batch[middle:])
        return first + second, error


async def keep_indexes(search: SearchStore, seconds: float) -> None:
    """Look after the vector indexes for ever."""
    while True:
        VECTOR_INDEXES.set(await search.ensure_indexes())
        await asyncio.sleep(seconds)


async def measure(store: DocumentStore, seconds: float) -> None:
    """Keep the gauges of the index up to date for ever."""
    while True:
        counts = await store.counts()
        DOCUMENTS.set(counts.documents)
        PENDING.set(counts.pending)
        REFUSED.set(counts.refused)
        await asyncio.sleep(seconds)

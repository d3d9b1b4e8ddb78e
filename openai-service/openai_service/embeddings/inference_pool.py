"""The inference pool: how requests share the processors that the transformer runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from openai_service.embeddings.lazy import InThread
from openai_service.embeddings.transformer import Role, TransformerEncoder, runs
from openai_service.errors import EncoderBusy
from openai_service.metrics import ENCODER_QUEUED
from openai_service.protocol.vectors import Floats


class InferencePool:
    """Runs the transformer in at most ``workers`` threads; requests take turns, and their queue is bounded."""

    def __init__(self, in_thread: InThread, *, workers: int, queue_texts: int) -> None:
        self._in_thread = in_thread
        self._workers = workers
        self._free = asyncio.Semaphore(workers)
        self._queue_texts = queue_texts
        self._queued = 0

    async def encode(self, encoder: TransformerEncoder, texts: Sequence[str], role: Role) -> tuple[Floats, int]:
        """Return one row per text and the tokens read; raises ``EncoderBusy`` when too many texts are waiting."""
        with self._queue(len(texts)):
            ids = await self._in_thread(encoder.read, texts, role)
            rows = np.empty((len(texts), encoder.dimensions), dtype=np.float32)
            waiting = runs(ids)

            async def work() -> None:
                # The semaphore is taken for one run and serves in order, so a small request waits for at most one run
                # of each other request.
                for places in waiting:
                    async with self._free:
                        rows[places] = await self._in_thread(encoder.run, [ids[place] for place in places])

            await asyncio.gather(*(work() for _ in range(self._workers)))
            return rows, sum(map(len, ids))

    @contextmanager
    def _queue(self, texts: int) -> Iterator[None]:
        # A request that waits for no other is never refused, however large it is.
        if self._queued and self._queued + texts > self._queue_texts:
            raise EncoderBusy(waiting=self._queued, retry_after_seconds=2)
        self._queued += texts
        ENCODER_QUEUED.set(self._queued)
        try:
            yield
        finally:
            self._queued -= texts
            ENCODER_QUEUED.set(self._queued)

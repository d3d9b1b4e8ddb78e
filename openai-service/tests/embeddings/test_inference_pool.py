"""How the work of the encoders is shared and bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from openai_service.embeddings.inference_pool import InferencePool
from openai_service.embeddings.transformer import TransformerEncoder
from openai_service.errors import EncoderBusy

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Watched:
    """The encoder that ships, noting who runs at once and in which order; runs wait until let go."""

    def __init__(self, encoder: TransformerEncoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self.dimensions = encoder.dimensions
        self.go = threading.Event()
        self.go.set()
        self.running = self.most = self.runs = 0

    def read(self, texts: Sequence[str], role: Any) -> list[list[int]]:
        """See ``TransformerEncoder``."""
        return self._encoder.read(texts, role)

    def run(self, ids: Sequence[Sequence[int]]) -> Any:
        """See ``TransformerEncoder``."""
        with self._lock:
            self.running += 1
            self.runs += 1
            self.most = max(self.most, self.running)
        try:
            assert self.go.wait(60)
            return self._encoder.run(ids)
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def watched(encoder: TransformerEncoder) -> Watched:
    """A watched encoder."""
    return Watched(encoder)


def texts(count: int) -> list[str]:
    """Texts of several lengths."""
    return [f"La senadora número {n} habló" + " de agua" * (n % 9) for n in range(count)]


async def test_rows_come_in_order_and_workers_are_not_exceeded(watched: Watched, encoder: TransformerEncoder) -> None:
    """Many requests at once get their own rows, and never more runs go at a time than there are workers."""
    pool = InferencePool(asyncio.to_thread, workers=2, queue_texts=10_000)
    asked = [texts(count) for count in (1, 40, 7, 90, 3)]
    found = await asyncio.gather(*(pool.encode(watched, one, "query") for one in asked))  # type: ignore[arg-type]
    for one, (rows, tokens) in zip(asked, found, strict=True):
        assert np.array_equal(rows, encoder.encode(one))
        assert tokens == sum(map(len, encoder.read(one, "query")))
    assert watched.most <= 2


async def test_a_small_request_does_not_wait_for_a_large_one(watched: Watched) -> None:
    """Requests take turns: one text that came last is done while most of the many that came first still wait."""
    pool = InferencePool(asyncio.to_thread, workers=1, queue_texts=10_000)
    large = asyncio.create_task(pool.encode(watched, texts(600), "query"))  # type: ignore[arg-type]
    while not watched.runs:
        await asyncio.sleep(0.001)
    await pool.encode(watched, ["Una sola"], "query")  # type: ignore[arg-type]
    assert not large.done()
    rows, _ = await large
    assert len(rows) == 600


async def test_too_much_is_refused_and_the_rest_is_served(watched: Watched) -> None:
    """Beyond the bound a request is told to come back; what waits is answered; an idle encoder takes any size."""
    pool = InferencePool(asyncio.to_thread, workers=1, queue_texts=10)
    watched.go.clear()
    first = asyncio.create_task(pool.encode(watched, texts(30), "query"))  # type: ignore[arg-type]
    while not watched.runs:
        await asyncio.sleep(0.001)
    with pytest.raises(EncoderBusy, match="30 texts wait"):
        await pool.encode(watched, ["Una"], "query")  # type: ignore[arg-type]
    watched.go.set()
    rows, _ = await first
    again, _ = await pool.encode(watched, ["Una"], "query")  # type: ignore[arg-type]
    assert (len(rows), len(again)) == (30, 1)


async def test_a_request_that_is_given_up_frees_its_place(watched: Watched) -> None:
    """A cancelled request computes no further than the run it is in, and is not counted as waiting."""
    pool = InferencePool(asyncio.to_thread, workers=1, queue_texts=10)
    watched.go.clear()
    given_up = asyncio.create_task(pool.encode(watched, texts(200), "query"))  # type: ignore[arg-type]
    while not watched.runs:
        await asyncio.sleep(0.001)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    watched.go.set()
    rows, _ = await pool.encode(watched, texts(10), "query")  # type: ignore[arg-type]
    assert len(rows) == 10
    assert watched.runs <= 1 + len(rows)

"""When the encoders load, and how their work is shared and bounded."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run, until

from castor_chassis import ModelArtifactError
from castor_chassis.testing import RunningService
from openai_service.embeddings import transformer
from openai_service.embeddings.inference_pool import InferencePool
from openai_service.embeddings.lazy import Lazy
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder
from openai_service.errors import EncoderBusy

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH, CHAT = "/v1/openai/embeddings", "/v1/openai/chat/completions"


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


async def test_memory_is_spent_when_it_is_needed(
    run: Run, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an upstream for the default the transformer loads on first use, once; without one, before readiness."""
    loads: list[object] = []
    load = TransformerEncoder.load
    monkeypatch.setattr(TransformerEncoder, "load", lambda: loads.append(1) or load())
    async with run(**with_upstream) as service:
        assert (await service.client.post(PATH, json={"input": "hola"})).status_code == 200
        assert loads == []
        bodies = [{"model": "bundled", "input": f"hola {number}"} for number in range(4)]
        answers = await asyncio.gather(*(service.client.post(PATH, json=body) for body in bodies))
        assert {answer.status_code for answer in answers} == {200}
        assert loads == [1]
    async with run() as _:
        assert loads == [1, 1]


async def test_a_damaged_model_is_503_until_it_is_mended(
    run: Run, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where it loads on first use, a failure answers 503 and keeps nothing: the next use tries again."""
    folder = shutil.copytree(transformer.FOLDER, tmp_path / "transformer")
    (folder / "neutral.npy").rename(tmp_path / "kept.npy")
    monkeypatch.setattr(transformer, "FOLDER", folder)
    body = {"model": "bundled", "input": "un texto nuevo"}
    async with run(**with_upstream) as service:
        failed = await service.client.post(PATH, json=body)
        (tmp_path / "kept.npy").rename(folder / "neutral.npy")
        mended = await service.client.post(PATH, json=body)
        assert (await service.client.post(PATH, json={"input": "hola"})).status_code == 200
    assert (failed.status_code, failed.json()["code"]) == (503, "encoder_unavailable")
    assert mended.status_code == 200


async def test_a_lazy_value_loads_once_whoever_asks() -> None:
    """Twenty callers at once share one load, a cancelled one does not end it; after a failure the next call loads."""
    loads: list[int] = []
    go = threading.Event()

    def load() -> str:
        loads.append(1)
        if len(loads) == 1:
            raise OSError("not yet")
        assert go.wait(60)
        return "loaded"

    lazy = Lazy(load, asyncio.to_thread)
    with pytest.raises(OSError, match="not yet"):
        await lazy.get()
    assert lazy.value is None
    callers = [asyncio.create_task(lazy.get()) for _ in range(20)]
    while len(loads) < 2:
        await asyncio.sleep(0.001)
    callers[0].cancel()
    go.set()
    found = await asyncio.gather(*callers[1:])
    assert (found, lazy.value, len(loads)) == (["loaded"] * 19, "loaded", 2)


async def test_quotes_are_ranked_by_an_encoder_that_loads_when_they_are_needed(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an upstream the static encoder loads after the first quotes, once; until then, and if it is damaged, words
    alone rank them."""
    loads: list[object] = []
    load = StaticEncoder.load
    documents = '<document id="1">La salud es un derecho.</document><document id="2">Llueve.</document>'
    asked = {"messages": [{"role": "user", "content": f"{documents}\n<question>¿Qué derecho?</question>"}]}

    def damaged() -> StaticEncoder:
        loads.append("damaged")
        raise ModelArtifactError("damaged")

    async def ask(service: RunningService) -> None:
        upstream.script = [Fault(status=500)]
        answer = (await service.client.post(CHAT, json=asked)).json()
        assert answer["degraded"] == ["llm"]
        assert '"La salud es un derecho." [1]' in answer["choices"][0]["message"]["content"]

    for loading, wanted in ((lambda: loads.append("fine") or load(), "fine"), (damaged, "damaged")):
        monkeypatch.setattr(StaticEncoder, "load", loading)
        async with run(**with_upstream) as service:
            assert (await service.client.post(CHAT, json=asked)).json().get("degraded") is None
            assert loads == []
            await ask(service)
            await ask(service)

            async def loaded() -> bool:
                return bool(loads)

            await until(loaded)
            await ask(service)
        assert loads == [wanted]
        loads.clear()

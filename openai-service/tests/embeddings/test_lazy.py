"""When the encoders load."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run

from castor_chassis import ModelArtifactError
from castor_chassis.testing import RunningService, until
from openai_service.embeddings import transformer
from openai_service.embeddings.lazy import Lazy
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder

pytestmark = pytest.mark.asyncio(loop_scope="module")


PATH, CHAT = "/v1/openai/embeddings", "/v1/openai/chat/completions"


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

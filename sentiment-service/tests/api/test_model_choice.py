"""The HTTP API with other models than the bundled one, and with none."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from pretrained_model import write_pretrained  # type: ignore[import-not-found]

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService
from sentiment_service.classifiers.linear import LINEAR_MODEL

Run = Callable[..., AbstractAsyncContextManager[RunningService]]


PRAISE = "Qué alegría tan grande, me encanta, felicitaciones a todos!"


async def analyze(service: RunningService, texts: list[str], **fields: Any) -> dict[str, Any]:
    """Return ``data`` of a successful analysis."""
    answer = await service.client.post("/v1/sentiment/analyze", json={"texts": texts, **fields})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def readiness(service: RunningService) -> str:
    """Return what readiness says of the model once it is not loading any more."""
    async with httpx.AsyncClient(base_url=service.management_url, trust_env=False) as probe:
        while "loading" in (sentence := (await probe.get("/health/ready")).json()["checks"]["model"]):
            await asyncio.sleep(0.02)
    return str(sentence)


async def test_a_model_in_the_layout_of_hugging_face(run: Run, tmp_path: Path) -> None:
    """A folder with tokenizer, configuration and ONNX file is served like the bundled model, under its own name."""
    folder = write_pretrained(tmp_path / "theirs", "xlm-roberta", ("LABEL_0", "LABEL_1", "LABEL_2"))
    given = {"sentiment_labels": "negative,neutral,positive", "sentiment_languages": "es,en"}
    async with run(sentiment_model=str(folder), **given) as service:
        data = await analyze(service, ["bueno", "malo", "mesa"] * 100)
        assert [one["label"] for one in data["results"]] == ["positive", "negative", "neutral"] * 100
        card = (await service.client.get("/v1/sentiment/model")).json()["data"]
        assert {"id": card["id"], "version": card["version"]} == data["model"]
        assert (card["id"], card["languages"], card["unmeasured_languages"]) == ("theirs", ["es", "en"], ["es", "en"])


async def test_texts_that_the_model_reads_alike_share_a_score(run: Run, tmp_path: Path, redis_url: str) -> None:
    """A model that reads texts otherwise than the bundled one has other equal texts: only handles and links here."""
    folder = write_pretrained(tmp_path / "theirs")
    async with run(sentiment_model=str(folder), redis_url=redis_url) as service:
        apart = (await analyze(service, ["bueno", "buenooooo", "bueno @ana", "bueno @luis"]))["results"]
        assert apart[0]["positive"] > apart[1]["positive"]
        assert apart[2]["positive"] == apart[3]["positive"]


@pytest.mark.parametrize(
    ("name", "reason", "remedy"),
    [
        ("owner/name", "neither a folder, nor exported to", "python -m sentiment_service export owner/name"),
        ("owner/name", "neither a folder, nor exported to", "MODEL_HUB_URL=https://huggingface.co"),
        ("nothing", "There is no model folder nothing", "'bundled', 'bundled-fast', a folder or a Hugging Face id"),
    ],
)
async def test_an_unknown_model(run: Run, tmp_path: Path, name: str, reason: str, remedy: str) -> None:
    """A name that means nothing keeps the service not ready; readiness says why and what to do."""
    async with run(ready=False, sentiment_model=name, model_store=tmp_path) as service:
        sentence = await readiness(service)
        assert reason in sentence
        assert remedy in sentence
        answer = await service.client.post("/v1/sentiment/analyze", json={"texts": ["hola"]})
        assert (answer.status_code, answer.json()["code"], answer.json()["error"]) == (
            503,
            "model_unavailable",
            sentence,
        )


async def test_a_language_that_the_model_lacks(run: Run, tmp_path: Path) -> None:
    """With a model of Spanish alone, English is unscored when named and when found out, and Spanish is scored."""
    folder = Path(shutil.copytree(LINEAR_MODEL, tmp_path / "spanish"))
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    compact = "".join(line.strip() for line in manifest.splitlines())
    (folder / "manifest.json").write_text(compact.replace('["es","en","pt"]', '["es"]'), encoding="utf-8")
    async with run(sentiment_model=str(folder)) as service:
        assert (await service.client.get("/v1/sentiment/model")).json()["data"]["languages"] == ["es"]
        named = (await analyze(service, ["Muy bien"], lang="en"))["results"][0]
        found = (await analyze(service, ["This is the worst of all that they did to us"], lang="auto"))["results"][0]
        assert "it knows Spanish" in named["reason"]
        assert "in English" in found["reason"]
        assert "reason" not in (await analyze(service, [PRAISE]))["results"][0]


async def test_a_model_that_nobody_measured_says_so(run: Run, tmp_path: Path) -> None:
    """Every language of a model whose folder says nothing of measurements is unmeasured, and scored all the same."""
    folder = tmp_path / "model"
    shutil.copytree(LINEAR_MODEL, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["measured_languages"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    async with run(sentiment_model=str(folder)) as service:
        data = (await service.client.get("/v1/sentiment/model")).json()["data"]
        assert data["unmeasured_languages"] == data["languages"] == ["es", "en", "pt"]
        (one,) = (await analyze(service, ["This is a wonderful day, thank you all"], lang="en"))["results"]
        assert "reason" not in one


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: shutil.rmtree(folder), "There is no model folder"),
        (lambda folder: (folder / "weights.npz").write_bytes(b"PK"), "truncated"),
        (lambda folder: (folder / "lexicon.txt").unlink(), "missing"),
    ],
)
async def test_a_broken_model(run: Run, tmp_path: Path, damage: Callable[[Path], object], reason: str) -> None:
    """With a broken model the service is live and not ready; readiness and every request say why and where."""
    folder = Path(shutil.copytree(LINEAR_MODEL, tmp_path / "broken"))
    damage(folder)
    async with run(ready=False, sentiment_model=str(folder)) as service:
        async with httpx.AsyncClient(base_url=service.management_url, trust_env=False) as probe:
            while "loading" in (await probe.get("/health/ready")).json()["checks"]["model"]:
                await asyncio.sleep(0.02)
            assert (await probe.get("/health/live")).status_code == 200
            ready = await probe.get("/health/ready")
        assert ready.status_code == 503
        sentence = ready.json()["checks"]["model"]
        assert reason in sentence
        assert str(folder) in sentence
        for method, path in (("POST", "analyze"), ("GET", "model")):
            answer = await service.client.request(method, f"/v1/sentiment/{path}", json={"texts": ["hola"]})
            assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
            assert answer.json()["error"] == sentence
            assert "Retry-After" in answer.headers

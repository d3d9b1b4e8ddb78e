"""Refusals while texts wait: early, cheap, and only for what would wait."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService
from sentiment_service.classifiers.loader import BUNDLED_MODEL

pytestmark = pytest.mark.alone
BUSY_TEXTS = 300
Run = Callable[..., AbstractAsyncContextManager[RunningService]]


async def sample(service: RunningService, name: str) -> float:
    """Return the value of one sample on the management port, 0 when it is not there yet."""
    async with httpx.AsyncClient(trust_env=False) as client:
        lines = (await client.get(f"{service.management_url}/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name)


async def busy(service: RunningService) -> asyncio.Task[httpx.Response]:
    """Return a call of so many texts that others must wait, once they do."""
    texts = [f"Qué asco de corrupción, son unos ladrones {n}" for n in range(BUSY_TEXTS)]
    call = asyncio.create_task(service.client.post("/v1/sentiment/analyze", json={"texts": texts}, timeout=110))
    async with asyncio.timeout(60):
        while not await sample(service, "castor_sentiment_queue_texts"):
            await asyncio.sleep(0.01)
    return call


@pytest.mark.parametrize("path", ["/v1/sentiment/analyze", "/v1/sentiment/batch"])
async def test_an_overloaded_service_reads_nothing(run: Run, path: str) -> None:
    """While the queue is full neither body nor token is looked at: a senseless request is refused like all others."""
    given: dict[str, Any] = {"content": b"no JSON", "headers": {"Authorization": "Bearer senseless"}}
    async with run(queue_max_texts=1) as service:
        before = await sample(service, "castor_sentiment_shed_texts_total")
        call = await busy(service)
        refused = await service.client.post(path, **given)
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert await sample(service, "castor_sentiment_shed_texts_total") == before + 1
        labels = f'method="POST",route="{path}",status="429"'
        assert await sample(service, f"castor_http_request_duration_seconds_count{{{labels}}}") >= 1
        assert (await call).json()["data"]["summary"]["total"] == BUSY_TEXTS
        assert (await service.client.post(path, **given)).status_code == 401


def for_texts_only(folder: Path) -> Path:
    """Return a copy of the bundled model that answers for texts only, so that the rules answer for targets."""
    shutil.copytree(BUNDLED_MODEL, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["towards"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


async def test_targets_that_the_rules_decide_are_answered_under_overload(run: Run, tmp_path: Path) -> None:
    """What needs no inference does not wait for one: the rules answer while the queue is full."""
    item = {"id": "1", "text": "Voto por Fajardo", "targets": ["Fajardo"]}
    async with run(queue_max_texts=1, sentiment_model=str(for_texts_only(tmp_path / "model"))) as service:
        call = await busy(service)
        answer = await service.client.post("/v1/sentiment/targets", json={"items": [item]})
        assert (await call).status_code == 200
    assert answer.status_code == 200
    assert answer.json()["data"]["results"][0]["targets"][0]["basis"] == "preference"


async def test_targets_that_the_model_reads_wait_like_texts(run: Run) -> None:
    """While the queue is full a named target is refused like a text; one that is absent needs no inference."""
    named, absent = ({"id": "1", "text": "Voto por Fajardo", "targets": [one]} for one in ("Fajardo", "Gaviria"))
    async with run(queue_max_texts=1) as service:
        call = await busy(service)
        refused = await service.client.post("/v1/sentiment/targets", json={"items": [named]})
        answer = await service.client.post("/v1/sentiment/targets", json={"items": [absent]})
        assert (await call).status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1
    assert answer.json()["data"]["results"][0]["targets"] == [{"target": "Gaviria", "label": "absent"}]


async def test_the_predicted_wait_is_that_of_now(run: Run) -> None:
    """What replicas are scaled by rises while texts wait and is 0 again when nothing does, without another request."""
    async with run() as service:
        call = await busy(service)
        async with asyncio.timeout(60):
            while not await sample(service, "castor_sentiment_wait_seconds"):
                await asyncio.sleep(0.01)
        assert (await call).status_code == 200
        assert await sample(service, "castor_sentiment_wait_seconds") == 0

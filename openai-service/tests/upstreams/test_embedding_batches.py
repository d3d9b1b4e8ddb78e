"""Embeddings in batches: within a provider's limits, in order, and never of two lengths."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
import pytest
from fake_openai import FakeOpenAI, Fault, vector
from hypothesis import given
from hypothesis import strategies as st
from openai_support import Run

from castor_chassis.testing import RunningService, until
from openai_service.upstreams.embedding_reply import batches

PATH = "/v1/openai/embeddings"
shared = pytest.mark.asyncio(loop_scope="module")


@given(st.lists(st.text(max_size=40)), st.integers(1, 9), st.integers(1, 60))
def test_batches_keep_order_and_limits(texts: list[str], inputs: int, tokens: int) -> None:
    """Joined, batches are the texts in order; none is empty or over a limit, except one text that is too long alone."""
    made = list(batches(texts, inputs=inputs, tokens=tokens))
    assert [text for batch in made for text in batch] == texts
    for batch in made:
        assert 1 <= len(batch) <= inputs
        assert len(batch) == 1 or sum(len(text.encode()) for text in batch) <= tokens


def provider(fake: FakeOpenAI, name: str = "local", **more: Any) -> dict[str, Any]:
    """Return the settings of a provider that is the fake."""
    return {"name": name, "base_url": fake.url, **more}


def assert_vectors(answer: Any, texts: list[str], size: int = 8) -> None:
    """Compare the answer with the fake's vectors of ``texts``."""
    rows = np.array([item["embedding"] for item in answer.json()["data"]], dtype=np.float32)
    assert np.array_equal(rows, np.array([vector(text, size) for text in texts], dtype=np.float32))


async def embed(service: RunningService, texts: list[str], **more: Any) -> Any:
    """Return the answer for ``texts``."""
    return await service.client.post(PATH, json={"model": "e", "input": texts, **more})


@shared
async def test_a_providers_own_limits_hold(run: Run, upstream: FakeOpenAI) -> None:
    """No request has more texts or bytes than the provider's settings say, and the answer is in the caller's order."""
    upstream.most_inputs = 3
    texts = [f"límite {number} " + "x" * (30 * (number % 5)) for number in range(20)]
    async with run(providers=[provider(upstream, embedding_inputs=3, embedding_tokens=200)]) as service:
        answer = await embed(service, texts)
    assert answer.status_code == 200, answer.text
    sent = [body["input"] for body in upstream.bodies]
    assert [text for batch in sent for text in batch] == texts
    assert max(map(len, sent)) == 3
    assert max(sum(len(text.encode()) for text in batch) for batch in sent) <= 200
    assert_vectors(answer, texts)


@shared
async def test_batches_are_of_what_leaves(run: Run, upstream: FakeOpenAI) -> None:
    """Redaction lengthens short addresses; no request is too long nevertheless, and a text's number is its own."""
    texts = [f"{number} a@b.co" for number in range(20)]
    async with run(providers=[provider(upstream, embedding_tokens=60)]) as service:
        answer = await embed(service, texts)
    sent = [body["input"] for body in upstream.bodies]
    assert [text for batch in sent for text in batch] == [f"{number} [CORREO_1]" for number in range(20)]
    assert max(sum(len(text.encode()) for text in batch) for batch in sent) <= 60
    assert_vectors(answer, [text for batch in sent for text in batch])


@shared
async def test_batches_fit_whoever_of_the_route_answers(run: Run, upstream: FakeOpenAI) -> None:
    """The second provider of a route can replace the first also when its limits are lower."""
    upstream.most_inputs = 2
    upstream.script = [Fault(status=500)]
    providers = [provider(upstream, "big"), provider(upstream, "small", embedding_inputs=2)]
    async with run(providers=providers, routes={"e": ["big/e", "small/e"]}) as service:
        answer = await embed(service, ["ruta uno", "ruta dos", "ruta tres"])
    assert answer.status_code == 200, answer.text
    assert [len(body["input"]) for body in upstream.bodies] == [2, 2, 1]


@shared
async def test_a_failure_in_the_middle_loses_nothing(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection
) -> None:
    """The error says how many texts are done, and a repeated request asks and pays for the rest only."""
    upstream.script = [Fault("none"), Fault(status=500)]
    texts = [f"medio {number}" for number in range(6)]
    async with run(providers=[provider(upstream, embedding_inputs=2)]) as service:
        failed = await embed(service, texts)
        again = await embed(service, texts)

        async def stored() -> bool:
            return bool(await ledger.fetchval("SELECT count(*) FROM calls") == 2)

        await until(stored)
    assert (failed.status_code, failed.json()["details"]["texts_done"], failed.json()["details"]["texts"]) == (
        503,
        2,
        6,
    )
    assert [body["input"] for body in upstream.bodies] == [texts[:2], texts[2:4], texts[2:4], texts[4:]]
    assert_vectors(again, texts)
    counted = await ledger.fetch("SELECT status, prompt_tokens FROM calls ORDER BY called_at")
    assert [tuple(row) for row in counted] == [("upstream_unavailable", 14), ("ok", 28)]


@shared
@pytest.mark.parametrize(
    ("fault", "asked", "reason"),
    [
        (Fault("wrong shape"), None, "1 vectors for 2 texts"),
        (Fault("longer vectors"), 4, "5 dimensions instead of 4"),
        (Fault("longer vectors"), None, "9 dimensions, and 8 before"),
    ],
    ids=["count", "other than asked", "other than before"],
)
async def test_other_vectors_than_asked_for_are_refused(
    online: RunningService, upstream: FakeOpenAI, fault: Fault, asked: int | None, reason: str
) -> None:
    """Another number or length of vectors is 502 with the reason, is never cached, and opens no breaker."""
    assert (await embed(online, [f"antes {fault.kind} {asked}"])).is_success
    upstream.script = [fault]
    more = {} if asked is None else {"dimensions": asked}
    texts = [f"{fault.kind} {asked} a", f"{fault.kind} {asked} b"]
    failed = await embed(online, texts, **more)
    fine = await embed(online, texts, **more)
    assert (failed.status_code, failed.json()["code"]) == (502, "wrong_vectors")
    assert reason in failed.json()["error"]["message"]
    assert_vectors(fine, texts, asked or 8)


@shared
async def test_remembered_vectors_of_another_length_are_not_mixed_in(run: Run, upstream: FakeOpenAI) -> None:
    """After a restart, longer vectors than those in the cache are refused, not mixed with them."""
    async with run(providers=[provider(upstream)]) as service:
        assert (await embed(service, ["recordado"])).is_success
    upstream.script = [Fault("longer vectors")]
    async with run(providers=[provider(upstream)]) as service:
        mixed = await embed(service, ["recordado", "nuevo de otra longitud"])
    assert (mixed.status_code, mixed.json()["code"]) == (502, "wrong_vectors")
    assert "8 and 9 dimensions" in mixed.json()["error"]["message"]


@shared
async def test_what_a_provider_does_not_count_is_charged_at_its_bound(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection
) -> None:
    """An answer without usage is booked by the bytes sent, never as free."""
    upstream.script = [Fault("uncounted")]
    options = {"price_table": {"e": (1.0, 0.0)}, "budgets": {"total": 1}}
    async with run(providers=[provider(upstream)], **options) as service:
        assert (await embed(service, ["sin cuenta"])).is_success

        async def stored() -> bool:
            return bool(await ledger.fetchval("SELECT count(*) FROM calls") == 1)

        await until(stored)
    row = await ledger.fetchrow("SELECT prompt_tokens, cost_basis, cost_usd FROM calls")
    assert (row["prompt_tokens"], row["cost_basis"]) == (None, "bound")
    assert row["cost_usd"] * 10**6 == len("sin cuenta") + 4

"""The response cache: byte for byte, one call for equal requests in flight, and never across tenants."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run

from castor_chassis.testing import RunningService, TokenIssuer, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/chat/completions"


def asking(text: str, **more: Any) -> dict[str, Any]:
    """Return a request that no other test makes."""
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


async def ask(service: RunningService, body: dict[str, Any], **headers: str) -> httpx.Response:
    """Ask and read the whole answer."""
    answer = await service.client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def caching(with_upstream: dict[str, Any]) -> dict[str, Any]:
    """Settings of a service with a response cache."""
    return {**with_upstream, "chat_cache_seconds": 60, "allow_degraded": False}


async def test_a_stream_is_given_again_byte_for_byte(run: Run, caching: dict[str, Any], upstream: FakeOpenAI) -> None:
    """The second stream equals the first in every byte, also at another replica, and asks no model."""
    body = asking("el mismo flujo", stream=True, stream_options={"include_usage": True})
    async with run(**caching) as first, run(**caching) as second:
        second.client.headers["Authorization"] = first.client.headers["Authorization"]
        one = await ask(first, body)
        two, three = await ask(first, body), await ask(second, body)
    assert one.content.endswith(b"data: [DONE]\n\n")
    assert one.content == two.content == three.content
    assert ["x-castor-cache" in answer.headers for answer in (one, two, three)] == [False, True, True]
    assert len(upstream.bodies) == 1


async def test_equal_requests_in_flight_share_one_call(run: Run, caching: dict[str, Any], upstream: FakeOpenAI) -> None:
    """Forty callers of two replicas at once cost one call, and all get its answer."""
    upstream.script.append(Fault("slow first token"))
    async with run(**caching) as first, run(**caching) as second:
        second.client.headers["Authorization"] = first.client.headers["Authorization"]
        body = asking("a la vez")
        answers = await asyncio.gather(*(ask(service, body) for service in (first, second) for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1
    assert len(upstream.bodies) == 1


async def test_another_tenant_gets_an_answer_of_its_own(
    run: Run, caching: dict[str, Any], upstream: FakeOpenAI, issuer: TokenIssuer
) -> None:
    """Who asks is part of what makes requests equal."""
    async with run(**caching) as service:
        await ask(service, asking("de quién"))
        other = await ask(service, asking("de quién"), Authorization=f"Bearer {issuer.user_token(['llm:use'])}")
    assert "x-castor-cache" not in other.headers
    assert len(upstream.bodies) == 2


@pytest.mark.parametrize("change", [{"temperature": 0.3}, {"seed": 2}, {"max_tokens": 5}, {"model": "n"}])
async def test_whatever_changes_the_answer_makes_another_request(
    run: Run, caching: dict[str, Any], upstream: FakeOpenAI, change: dict[str, Any]
) -> None:
    """A parameter that the model sees is never overlooked."""
    async with run(**caching) as service:
        await ask(service, asking("con otro valor"))
        other = await ask(service, {**asking("con otro valor"), **change})
    assert "x-castor-cache" not in other.headers
    assert len(upstream.bodies) == 2


async def test_a_caller_can_demand_a_new_answer(run: Run, caching: dict[str, Any], upstream: FakeOpenAI) -> None:
    """Cache-Control: no-cache asks the model."""
    async with run(**caching) as service:
        for _ in range(2):
            await ask(service, asking("de nuevo"), **{"Cache-Control": "no-cache"})
    assert len(upstream.bodies) == 2


@pytest.mark.parametrize("fault", ["cut", "broken chunk"])
async def test_a_broken_stream_is_not_given_again(
    run: Run, caching: dict[str, Any], upstream: FakeOpenAI, fault: str
) -> None:
    """A failed answer is not cached."""
    upstream.script.append(Fault(fault))
    async with run(**caching) as service:
        broken = await service.client.post(PATH, json=asking(f"roto {fault}", stream=True))
        whole = await ask(service, asking(f"roto {fault}", stream=True))
    assert b"[DONE]" not in broken.content
    assert whole.content.endswith(b"data: [DONE]\n\n")
    assert len(upstream.bodies) == 2


async def test_without_redis_every_call_is_made(run: Run, caching: dict[str, Any], upstream: FakeOpenAI) -> None:
    """Without Redis every request is answered by a call of its own."""
    async with run(**{**caching, "redis_url": "redis://127.0.0.1:1/0"}) as service:
        for _ in range(2):
            await ask(service, asking("sin memoria"))
    assert len(upstream.bodies) == 2


async def test_a_refused_task_can_be_tried_again(run: Run, caching: dict[str, Any], upstream: FakeOpenAI) -> None:
    """A refused output is not taken from the cache again: a repair always asks the model."""
    upstream.replies = [{"content": "no es JSON"}] * 3
    document = {"id": "1", "text": "Faltan medicamentos en los hospitales de Cali."}
    async with run(**caching) as service:
        for calls in (2, 3):
            answer = await service.client.post("/v1/openai/topics", json={"documents": [document]})
            assert (answer.status_code, answer.json()["code"]) == (422, "output_refused")
            assert len(upstream.bodies) == calls


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"data: {}\n\n"])
async def test_what_is_no_answer_in_the_cache_is_a_miss(
    run: Run, caching: dict[str, Any], upstream: FakeOpenAI, damaged: bytes, stream: bool
) -> None:
    """Bytes that are no whole answer are not given to anybody: the model is asked again."""
    async with run(**caching) as service:
        body = asking("dañada", stream=stream, user=damaged.decode())
        one = await ask(service, body)

        async def is_kept() -> bool:
            return "x-castor-cache" in (await ask(service, body)).headers

        await until(is_kept)  # The answer is kept after it was given.
        redis = service.pair.chassis.redis
        assert redis is not None
        for key in await redis.keys("castor:{openai-answer-*:answer"):
            await redis.set(key, damaged)
        two = await ask(service, body)
    assert len(one.content) > len(damaged) + 20
    assert len(two.content) > len(damaged) + 20
    assert "x-castor-cache" not in two.headers
    assert len(upstream.bodies) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_redis_tells_neither_prompts_nor_answers(
    run: Run, caching: dict[str, Any], upstream: FakeOpenAI, stream: bool
) -> None:
    """A tweet that is erased elsewhere stands in neither to be read; an equal request still gets the answer."""
    upstream.replies = [{"content": "Ella dice: «Faltan medicamentos en Cali»."}]
    text = f'<document id="tweet:1">Faltan medicamentos en Cali.</document><question>¿Qué falta {stream}?</question>'
    async with run(**caching, semantic_cache=True) as service:
        for body in (asking(text, stream=stream), asking(f"¿Quién propone más en Cali {stream}?", stream=stream)):
            first = await ask(service, body)
            await until(partial(_is_hit, service, body, first.content))
        redis = service.pair.chassis.redis
        assert redis is not None
        answers, questions = [
            await redis.keys(f"castor:{{openai-{pattern}") for pattern in ("answer-*:answer", "service}:semantic:*")
        ]
        held = b"".join([*answers, *questions, *await redis.mget([*answers, *questions])])
    assert (len(answers) >= 2, len(questions) >= 1) == (True, True)
    assert not any(word in held for word in (b"medicamentos", b"Cali", b"propone", b"choices"))


async def _is_hit(service: RunningService, body: dict[str, Any], expected: bytes) -> bool:
    again = await ask(service, body)
    assert again.content == expected
    return again.headers["x-castor-cache"] == "hit"

"""Equal requests in flight share one call, and each of its callers keeps its own time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fake_openai import WORDS, FakeOpenAI, Fault
from openai_support import Run

from castor_chassis.context import RequestInfo, remaining_seconds, set_request
from castor_chassis.testing import until
from openai_service.chat.response_cache import ResponseCache, ResponseLease
from openai_service.chat.single_flight import InFlightRequest, SingleFlight, Subscriber
from openai_service.errors import UpstreamTimeout

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/openai/chat/completions"


class SlowAnswer:
    """An answer whose second piece waits for ``go_on``."""

    degraded: list[str] | None = None
    cache: str | None = None
    adapted: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.left: float | None = None
        """The call's time after the wait, in seconds."""

    async def open(self) -> None:
        """Do nothing."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield two pieces."""
        yield b"a"
        await self.go_on.wait()
        self.left = remaining_seconds()
        yield b"b"

    async def close(self) -> None:
        """Do nothing."""


async def ended(_request: InFlightRequest) -> None:
    """Keep nothing."""


def join(flight: SingleFlight, answer: SlowAnswer, seconds: float) -> Subscriber:
    """Ask as a caller who has ``seconds``."""

    async def opened() -> SlowAnswer:
        return answer

    set_request(RequestInfo(deadline=asyncio.get_running_loop().time() + seconds))
    return flight.join("key", opened, ended)


async def text_of(subscriber: Subscriber) -> bytes:
    """Return all that the subscriber gets."""
    await subscriber.open()
    return b"".join([piece async for piece in subscriber.pieces()])


async def test_a_call_lasts_as_long_as_its_most_patient_caller() -> None:
    """Who joins with more time gives it to the call; who joins with less takes none away."""
    flight, answer = SingleFlight(), SlowAnswer()
    callers = [join(flight, answer, seconds) for seconds in (30, 600, 60)]
    texts = asyncio.gather(*map(text_of, callers))
    await asyncio.sleep(0)
    answer.go_on.set()
    assert await texts == [b"ab"] * 3
    assert answer.left is not None
    assert answer.left > 300


async def test_a_caller_whose_time_is_over_leaves_the_others_alone() -> None:
    """It is told so; the call goes on for those who still wait."""
    flight, answer = SingleFlight(), SlowAnswer()
    hurried = join(flight, answer, 0.01)
    patient = join(flight, answer, 600)
    set_request(RequestInfo(deadline=asyncio.get_running_loop().time()))
    with pytest.raises(UpstreamTimeout):
        await text_of(hurried)
    await hurried.close()
    set_request(None)
    answer.go_on.set()
    assert await text_of(patient) == b"ab"


@pytest.mark.parametrize(("degraded", "status"), [(True, 200), (False, 504)], ids=["quotes", "no quotes"])
async def test_a_caller_in_a_hurry_is_answered_while_the_call_goes_on_for_a_patient_one(
    run: Run, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch, degraded: bool, status: int
) -> None:
    """It gets what it would get alone, within its own time, and the other one the model's answer."""
    # A slow machine may need more than the twentieth that is kept for the answer.
    monkeypatch.setattr("openai_service.chat.single_flight._TIME_SHARE", 0.1)
    patient_joined, free = asyncio.Event(), asyncio.Event()

    async def claim(*_names: object) -> bool:
        if (remaining_seconds() or 0) > 60:
            patient_joined.set()
        return free.is_set()

    monkeypatch.setattr(ResponseCache, "claim", claim)
    body = {"model": "m", "messages": [{"role": "user", "content": "otra réplica la está respondiendo"}]}
    async with run(**with_upstream, chat_cache_seconds=60, allow_degraded=degraded) as service:
        hurried, patient = (
            asyncio.ensure_future(service.client.post(CHAT, json=body, headers={"X-Request-Timeout-Ms": milliseconds}))
            for milliseconds in ("15000", "600000")
        )
        await patient_joined.wait()
        answer = await hurried
        assert (answer.status_code, answer.json().get("code")) == (status, None if degraded else "upstream_timeout")
        assert answer.json().get("degraded") == (["llm"] if degraded else None)
        free.set()
        assert (await patient).json()["choices"][0]["message"]["content"] == "".join(WORDS)


async def test_the_wait_for_another_replica_is_that_of_the_most_patient_caller() -> None:
    """A caller who joins with more time makes the lease be waited for longer, instead of a second call."""
    info = RequestInfo(deadline=asyncio.get_running_loop().time() + 0.01)
    answers = [False, False, False, b"{}"]

    class Busy(ResponseCache):
        async def claim(self, *_names: str) -> bytes | bool:
            info.deadline = asyncio.get_running_loop().time() + 600
            return answers.pop(0)

    set_request(info)
    assert await ResponseLease(Busy(None, ttl_seconds=1), "key").acquire() == b"{}"


async def test_all_whom_a_failed_call_left_share_one_more(
    run: Run, with_upstream: dict[str, Any], upstream: FakeOpenAI
) -> None:
    """When the first call ends without the model, the others make one call together, not one each."""
    upstream.script = [Fault("slow status")]
    body = {"model": "m", "messages": [{"role": "user", "content": "todos a la vez"}]}
    async with run(**with_upstream, chat_cache_seconds=60) as service:
        first = asyncio.ensure_future(service.client.post(CHAT, json=body))
        await until(upstream.was_asked)
        others = await asyncio.gather(*(service.client.post(CHAT, json=body) for _ in range(5)))
        assert (await first).json()["degraded"] == ["llm"]
    texts = [answer.json()["choices"][0]["message"]["content"] for answer in others]
    assert texts == ["".join(WORDS)] * 5
    assert len(upstream.bodies) == 2

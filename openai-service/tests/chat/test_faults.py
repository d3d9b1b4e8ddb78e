"""What happens when the upstream misbehaves."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import asyncpg
import openai
import pytest
from fake_openai import WORDS, FakeOpenAI, Fault
from openai_support import KEY, Run, Sdk

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/chat/completions"
MESSAGES: list[Any] = [{"role": "user", "content": '<document id="d">La vacuna llega a Tunja.</document> ¿La vacuna?'}]
BODY = {"model": "m", "messages": MESSAGES}
TEXT = "".join(WORDS)
QUOTE = '"La vacuna llega a Tunja." [d]'


def content(answer: httpx.Response) -> str:
    """The text of an answer."""
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=408),
        Fault("malformed"),
        Fault("html"),
        Fault("wrong shape"),
        Fault("hang up"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_a_failing_upstream_is_replaced_by_quotes(
    online: RunningService, upstream: FakeOpenAI, fault: Fault
) -> None:
    """Whatever goes wrong upstream, the caller gets an answer that says it is degraded, after one attempt."""
    await assert_replaced_by_quotes(online, upstream, fault)


async def test_an_upstream_that_never_answers_is_replaced_by_quotes(
    impatient: RunningService, upstream: FakeOpenAI
) -> None:
    """Silence ends after the upstream's time, and is not asked again."""
    assert content(await impatient.client.post(PATH, json=BODY)) == TEXT
    upstream.bodies.clear()
    await assert_replaced_by_quotes(impatient, upstream, Fault("slow"))


async def assert_replaced_by_quotes(service: RunningService, upstream: FakeOpenAI, fault: Fault) -> None:
    """Ask once while the upstream has ``fault``."""
    upstream.script = [fault]
    answer = await service.client.post(PATH, json=BODY)
    assert QUOTE in content(answer)
    assert answer.json()["degraded"] == ["llm"]
    assert len(upstream.bodies) == 1


async def test_without_fallback_the_failure_is_told(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """Where degraded answers are not wanted, the caller learns what the upstream did."""
    upstream.script = [Fault(status=500), Fault("slow")]
    async with run(**with_upstream, openai_timeout_seconds=5, allow_degraded=False) as service:
        failed = await service.client.post(PATH, json=BODY)
        late = await service.client.post(PATH, json=BODY)
    assert (failed.status_code, failed.json()["code"]) == (503, "upstream_unavailable")
    assert (late.status_code, late.json()["code"]) == (504, "upstream_timeout")


async def test_overload_is_repeated_after_retry_after(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """A 429 with Retry-After is waited for and repeated, since the upstream did not process it."""
    upstream.script = [Fault(status=429, headers={"Retry-After": "1"})]
    async with run(**with_upstream) as service:
        started = time.monotonic()
        answer = await service.client.post(PATH, json=BODY)
    assert content(answer) == TEXT
    assert time.monotonic() - started >= 1
    assert len(upstream.bodies) == 2


async def test_overload_without_retry_after_is_repeated_at_once(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """A bare 429 is repeated with backoff."""
    upstream.script = [Fault(status=429)]
    async with run(**with_upstream) as service:
        assert content(await service.client.post(PATH, json=BODY)) == TEXT


async def test_a_long_retry_after_is_not_waited_for(online: RunningService, upstream: FakeOpenAI) -> None:
    """When the wait does not fit the caller's time, the answer is degraded now."""
    upstream.script = [Fault(status=429, headers={"Retry-After": "30"})]
    answer = await online.client.post(PATH, json=BODY, headers={"X-Request-Timeout-Ms": "20000"})
    assert QUOTE in content(answer)
    assert len(upstream.bodies) == 1


async def test_a_slow_upstream_leaves_time_to_answer_within_the_callers_deadline(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upstream gets less than the caller's time, so that the caller gets quotes and not 504."""
    # A slow machine may need more than the tenth that is kept for the quotes.
    monkeypatch.setattr("openai_service.upstreams.client._TIME_SHARE", 0.2)
    upstream.script = [Fault("slow")]
    async with run(**with_upstream) as service:
        answer = await service.client.post(PATH, json=BODY, headers={"X-Request-Timeout-Ms": "15000"})
    assert QUOTE in content(answer)


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_is_502_with_its_reason_and_without_the_key(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI, status: int
) -> None:
    """A 4xx is not an outage: it is answered with its reason, without the key that upstreams repeat."""
    upstream.script = [Fault(status=status, message=f"Incorrect API key provided: {KEY} or sk-cas***cret; see docs")]
    with pytest.raises(openai.InternalServerError) as caught:
        await sdk(online).chat.completions.create(model="m", messages=MESSAGES)
    body = caught.value.response.json()
    assert (caught.value.status_code, body["code"]) == (502, "upstream_refused")
    assert "Incorrect API key provided: [redacted] or [redacted]; see docs" in caught.value.message
    assert body["details"]["upstream_status"] == status


async def test_the_breaker_opens_and_the_upstream_is_left_alone(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After enough failures in a row calls are degraded without asking; one trial closes it again."""
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 60)
    upstream.script = [Fault(status=500)] * 3
    async with run(**with_upstream, breaker_fail_max=3) as service:
        for _ in range(6):
            assert QUOTE in content(await service.client.post(PATH, json=BODY))
        assert len(upstream.bodies) == 3
        monkeypatch.setattr("castor_chassis.client.breaker.time", later)
        assert content(await service.client.post(PATH, json=BODY)) == TEXT


async def test_callers_in_a_hurry_do_not_open_the_breaker(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """A timeout that a caller's short deadline caused does not count; the next caller still gets an answer."""
    upstream.script = [Fault("slow")] * 3
    async with run(**with_upstream, breaker_fail_max=2) as service:
        for _ in range(3):
            # A slow machine may need the tenth of it that is kept for the quotes; an upstream's fair time is 5 s.
            hurried = await service.client.post(PATH, json=BODY, headers={"X-Request-Timeout-Ms": "2000"})
            assert hurried.status_code == 504 or QUOTE in content(hurried)
        assert content(await service.client.post(PATH, json=BODY)) == TEXT


async def test_refusals_do_not_open_the_breaker(run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]) -> None:
    """Bad requests of one caller do not open the breaker for others."""
    upstream.script = [Fault(status=400)] * 4
    async with run(**with_upstream, breaker_fail_max=2) as service:
        for _ in range(4):
            assert (await service.client.post(PATH, json=BODY)).status_code == 502
        assert content(await service.client.post(PATH, json=BODY)) == TEXT


async def test_a_dead_upstream_is_replaced_by_quotes(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """A port where nobody listens is repeated, since nothing was sent, and then replaced."""
    with_upstream["openai_base_url"] = "http://127.0.0.1:9/v1"
    async with run(**with_upstream) as service:
        assert QUOTE in content(await service.client.post(PATH, json=BODY))
    assert upstream.bodies == []


async def test_a_stream_that_fails_before_its_first_chunk_is_replaced(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI
) -> None:
    """Nothing was sent yet, so the stream is made of quotes instead."""
    upstream.script = [Fault(status=500)]
    stream = await sdk(online).chat.completions.create(model="m", messages=MESSAGES, stream=True)
    text = "".join([c.choices[0].delta.content or "" async for c in stream])
    assert stream.response.headers["x-castor-degraded"] == "llm"
    assert QUOTE in text


@pytest.mark.parametrize("fault", [Fault("cut"), Fault("broken chunk")], ids=lambda f: f.kind)
async def test_a_cut_stream_never_looks_complete(
    online: RunningService, sdk: Sdk, upstream: FakeOpenAI, fault: Fault
) -> None:
    """What came is delivered, then an error event in our envelope and no [DONE]; the SDK raises."""
    await assert_never_complete(online, sdk, upstream, fault)


async def test_a_stalled_stream_never_looks_complete(impatient: RunningService, sdk: Sdk, upstream: FakeOpenAI) -> None:
    """The same where the upstream goes silent in the middle."""
    await assert_never_complete(impatient, sdk, upstream, Fault("stall"))


async def assert_never_complete(service: RunningService, sdk: Sdk, upstream: FakeOpenAI, fault: Fault) -> None:
    """Ask for a stream through the SDK and bare while the upstream has ``fault``."""
    upstream.script = [fault, fault]
    stream = await sdk(service).chat.completions.create(model="m", messages=MESSAGES, stream=True)
    pieces = []
    with pytest.raises(openai.APIError):
        async for chunk in stream:
            pieces.append(chunk.choices[0].delta.content)
    raw = await service.client.post(PATH, json={**BODY, "stream": True})
    assert pieces == [*WORDS[:2]]
    assert "[DONE]" not in raw.text
    assert '"code":"upstream_' in raw.text.strip().rsplit("\n\n", 1)[1]


async def test_hanging_up_stops_the_upstream(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """A client that leaves, in a stream or before it, ends the upstream's work, frees its place, and is no failure."""
    async with run(**with_upstream, breaker_fail_max=1, peer_max_connections=1) as service:
        for kind, stream in [("stall", True), ("slow", True), ("slow", False)]:
            upstream.reset()
            upstream.script = [Fault(kind)]
            body = {**BODY, "model": "leaving", "stream": stream}
            call = asyncio.ensure_future(service.client.post(PATH, json=body))
            await until(upstream.was_asked)
            call.cancel()
            await asyncio.wait_for(upstream.hung_up.wait(), 30)
            assert content(await service.client.post(PATH, json={**BODY, "model": "leaving"})) == TEXT
    rows = await ledger.fetch("SELECT status, provider FROM calls WHERE requested_model = 'leaving' ORDER BY called_at")
    assert [tuple(row) for row in rows] == [("cancelled", "openai"), ("ok", "openai")] * 3


async def test_too_many_calls_are_shed(run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]) -> None:
    """Calls beyond the upstream's limit are answered by quotes at once."""
    upstream.script = [Fault("slow")]
    async with run(**with_upstream, peer_max_connections=1) as service:
        first = asyncio.create_task(service.client.post(PATH, json=BODY))
        await until(upstream.was_asked)
        assert QUOTE in content(await service.client.post(PATH, json=BODY))
        assert len(upstream.bodies) == 1
        first.cancel()


async def test_neither_key_nor_text_is_ever_logged(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Good answers, refusals, crashes and cuts leave no trace of the key or of what the user wrote."""
    refusal = Fault(status=401, message=f"bad key {KEY}")
    upstream.script = [Fault("none"), refusal, Fault(status=500), Fault("malformed"), Fault("cut")]
    async with run(**with_upstream) as service:
        for body in [BODY, BODY, BODY, BODY, {**BODY, "stream": True}]:
            answer = await service.client.post(PATH, json=body)
            assert KEY not in answer.text
        metrics = await management(service)
    logged = "".join(capfd.readouterr()) + metrics
    assert "answered_without_upstream" in logged
    assert KEY not in logged
    assert "Tunja" not in logged


async def management(service: RunningService) -> str:
    """The metrics page."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{service.management_url}/metrics")).text

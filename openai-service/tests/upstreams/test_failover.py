"""Several providers: order, failover, hedging, and a breaker each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import openai
import pytest
import pytest_asyncio
from fake_openai import WORDS, FakeOpenAI, Fault
from openai_support import Run, Sdk

from castor_chassis.testing import until
from openai_service.upstreams.failover import Target, first_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


PATH, EMBEDDINGS = "/v1/openai/chat/completions", "/v1/openai/embeddings"


MESSAGES: list[Any] = [{"role": "user", "content": "hola"}]


TEXT = "".join(WORDS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second_fake() -> AsyncIterator[FakeOpenAI]:
    """Another upstream."""
    async with FakeOpenAI().listening() as server:
        yield server


@pytest.fixture
def second(second_fake: FakeOpenAI) -> FakeOpenAI:
    """Another upstream, with nothing seen or scripted yet."""
    second_fake.reset()
    return second_fake


@pytest.fixture
def two(with_upstream: dict[str, Any], second: FakeOpenAI) -> dict[str, Any]:
    """Settings of a service whose model ``m`` is answered by ``openai``, then by ``spare`` as ``m2``."""
    return {
        **with_upstream,
        "providers": [{"name": "spare", "base_url": second.url}],
        "provider_keys": '{"spare": "sk-spare-0123456789"}',
        "routes": {"m": ["openai/m", "spare/m2"], "e": ["openai/e", "spare/e", "spare/other"]},
        "allow_degraded": False,
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=429, headers={"Retry-After": "60"}),
        Fault(status=401),
        Fault("hang up"),
        Fault("html"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_the_next_provider_answers_where_one_fails(
    run: Run, sdk: Sdk, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any], fault: Fault, stream: bool
) -> None:
    """A provider that fails before its answer began, or refuses our account, is replaced by the next of the route."""
    upstream.script = [fault]
    async with run(**two, openai_attempts=1) as service:
        answer = await sdk(service).chat.completions.create(model="m", messages=MESSAGES, stream=stream)
        if stream:
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in answer])  # type: ignore[union-attr]
        else:
            text = answer.choices[0].message.content  # type: ignore[union-attr]
    assert text == TEXT
    assert [body["model"] for body in second.bodies] == ["m2"]
    assert second.keys == ["Bearer sk-spare-0123456789"]


async def test_a_refused_request_is_refused_once(
    run: Run, sdk: Sdk, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any]
) -> None:
    """What is wrong with the request itself is not tried elsewhere."""
    upstream.script = [Fault(status=400, message="bad schema")]
    async with run(**two) as service:
        with pytest.raises(openai.InternalServerError, match="bad schema"):
            await sdk(service).chat.completions.create(model="m", messages=MESSAGES)
    assert second.bodies == []


async def test_each_provider_has_its_own_breaker(
    run: Run, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any]
) -> None:
    """A provider that keeps failing is left alone, while the next one answers every call."""
    upstream.script = [Fault(status=500)] * 2
    async with run(**two, breaker_fail_max=2) as service:
        for _ in range(5):
            assert (await service.client.post(PATH, json={"model": "m", "messages": MESSAGES})).status_code == 200
    assert (len(upstream.bodies), len(second.bodies)) == (2, 5)


async def test_embeddings_fail_over_only_to_the_same_model(
    run: Run, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any]
) -> None:
    """Another provider's vectors count only where its model has the same name; then there are none."""
    upstream.script = [Fault(status=500)] * 2
    async with run(**two) as service:
        first = await service.client.post(EMBEDDINGS, json={"model": "e", "input": "uno"})
        second.script = [Fault(status=500)]
        none = await service.client.post(EMBEDDINGS, json={"model": "e", "input": "dos"})
    assert (first.status_code, first.json()["model"]) == (200, "e")
    assert none.status_code == 503
    assert [body["model"] for body in second.bodies] == ["e", "e"]


async def test_a_slow_provider_is_hedged_and_the_loser_is_stopped(
    run: Run, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """The second is asked when the first has not begun in time; the first is hung up on; both are paid for."""
    upstream.script = [Fault("slow")]
    money = {"price_table": {"m": (0.0, 1000.0), "m2": (0.0, 100.0)}, "budgets": {"total": 10}}
    body = {"model": "m", "messages": MESSAGES, "max_tokens": 500}
    async with run(**two, **money, hedge_after_seconds=1) as service:
        answer = await service.client.post(PATH, json=body)
        await asyncio.wait_for(upstream.hung_up.wait(), 60)
    async with run(**two, **money, hedge_after_seconds=60) as service:
        quick = await service.client.post(PATH, json=body)

        async def settled() -> bool:
            return await ledger.fetchval("SELECT count(*) FROM calls") == 2

        await until(settled)
    assert [answer.status_code, quick.status_code] == [200, 200]
    assert [len(upstream.bodies), len(second.bodies)] == [2, 1]
    rows = await ledger.fetch("SELECT provider, model, attempts, cost_usd, cost_basis FROM calls ORDER BY called_at")
    assert [tuple(row)[:3] for row in rows] == [("spare", "m2", 2), ("openai", "m", 1)]
    assert [(float(row["cost_usd"]), row["cost_basis"]) for row in rows] == [(0.55, "bound"), (0.5, "usage")]
    assert await ledger.fetchval("SELECT spent_nano FROM budget_accounts WHERE account = 'total'") == 1_050_000_000


class Race:
    """Two targets by name, whose answers come when they are let go, also after they were cancelled."""

    def __init__(self) -> None:
        self.go = {"a": asyncio.Event(), "b": asyncio.Event()}
        self.asked: list[str] = []
        self.discarded: list[str] = []

    async def ask(self, target: Target) -> str:
        """Return the target's name."""
        self.asked.append(target.model)
        try:
            await self.go[target.model].wait()
        except asyncio.CancelledError:
            await self.go[target.model].wait()
        return target.model

    async def discard(self, answer: str) -> None:
        """Note an answer that nobody takes."""
        self.discarded.append(answer)

    def run(self, hedge_after_seconds: float) -> asyncio.Future[str]:
        """Begin the race."""
        targets = [Target(None, name) for name in self.go]  # type: ignore[arg-type]
        return asyncio.ensure_future(
            first_answer(targets, self.ask, hedge_after_seconds=hedge_after_seconds, discard=self.discard)
        )


async def test_a_first_answer_in_time_is_not_discarded() -> None:
    """The answer that is returned, for example an open stream, is the caller's."""
    race = Race()
    race.go["a"].set()
    assert await race.run(60) == "a"
    assert (race.asked, race.discarded) == (["a"], [])


async def test_a_caller_who_leaves_while_the_loser_is_stopped_leaves_nothing_open() -> None:
    """Both answers are discarded, the winner's at once and the loser's when it comes."""
    race = Race()
    running = race.run(0.01)
    await until_true(lambda: race.asked == ["a", "b"])
    race.go["b"].set()
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert race.discarded == ["b"]
    race.go["a"].set()
    await until_true(lambda: race.discarded == ["b", "a"])


async def until_true(condition: Callable[[], bool]) -> None:
    """Wait until ``condition()`` holds."""

    async def holds() -> bool:
        return condition()

    await until(holds)


async def test_a_stream_of_a_quick_provider_is_whole_where_hedging_is_on(
    run: Run, sdk: Sdk, two: dict[str, Any]
) -> None:
    """Nothing closes the stream of the first provider before it was read."""
    async with run(**two, hedge_after_seconds=60) as service:
        stream = await sdk(service).chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == TEXT


@pytest.mark.usefixtures("ledger")
async def test_a_hedge_that_the_budget_has_no_room_for_is_not_made(
    run: Run, upstream: FakeOpenAI, second: FakeOpenAI, two: dict[str, Any]
) -> None:
    """A second attempt needs its own money; without it the first is waited for."""
    upstream.script = [Fault("slow first token")]
    money = {"price_table": {"m": (0.0, 1000.0), "m2": (0.0, 1000.0)}, "budgets": {"total": 0.6}}
    async with run(**two, **money, hedge_after_seconds=0.2) as service:
        answer = await service.client.post(PATH, json={"model": "m", "messages": MESSAGES, "max_tokens": 500})
    assert (answer.status_code, answer.json()["model"]) == (200, "m")
    assert second.bodies == []


async def test_a_task_and_a_default_have_routes(run: Run, sdk: Sdk, two: dict[str, Any], second: FakeOpenAI) -> None:
    """Who names no model gets the route 'default'; models that are routed are listed."""
    routes = {**two["routes"], "default": ["spare/m3"]}
    async with run(**{**two, "routes": routes}) as service:
        await sdk(service).chat.completions.create(model="default", messages=MESSAGES)
        names = [model.id async for model in sdk(service).models.list()]
    assert [body["model"] for body in second.bodies] == ["m3"]
    assert {"m", "e"} < set(names)

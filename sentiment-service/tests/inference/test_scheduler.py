"""Dynamic batching, with a function that the test holds back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from castor_chassis import RequestInfo, set_request
from sentiment_service.errors import QueueFull
from sentiment_service.inference.model import InferenceRequest
from sentiment_service.inference.scheduler import InferenceScheduler, Pace


class Held:
    """Measures texts, one call at a time, each when the test lets it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Semaphore(0)

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        self.batches.append(list(args[0]))
        await self.gate.acquire()
        return function(*args)

    async def started(self, count: int) -> None:
        """Wait for the call number ``count``."""
        async with asyncio.timeout(30):
            while len(self.batches) < count:
                await asyncio.sleep(0)

    @asynccontextmanager
    async def scheduler(
        self, function: Callable[[Sequence[str]], list[int]] = lambda texts: [len(text) for text in texts], **given: Any
    ) -> AsyncIterator[InferenceScheduler[int]]:
        """A running scheduler of at most 4 tokens (here: texts) a batch and 10 texts in the queue."""
        bounds = {"batch_max": 4, "queue_max": 10, "wait_max_seconds": 60.0, **given}
        scheduler = InferenceScheduler(function, self.in_thread, **bounds)
        running = asyncio.create_task(scheduler.run())
        try:
            yield scheduler
        finally:
            running.cancel()


@pytest.fixture
async def held() -> Held:
    """A function to be released."""
    return Held()


def request(text: str) -> InferenceRequest:
    """A text of one token, or of as many as it says: ``long:3:...``."""
    cost = int(text.split(":")[1]) if text.startswith("long:") else 1
    return InferenceRequest(text, text, cost)


def start(scheduler: InferenceScheduler[int], *texts: str) -> asyncio.Task[dict[str, int]]:
    """Submit ``texts`` in a task."""
    return asyncio.create_task(scheduler.submit([request(text) for text in texts]))


async def release(held: Held, *tasks: asyncio.Task[dict[str, int]]) -> list[dict[str, int]]:
    """Let everything through and return the results."""
    for _ in range(100):
        held.gate.release()
    async with asyncio.timeout(30):
        return await asyncio.gather(*tasks)


async def test_what_arrives_meanwhile_is_one_batch(held: Held) -> None:
    """A lone text goes at once; those that arrive during its inference go together, and all get their own result."""
    async with held.scheduler() as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        others = [start(scheduler, "b" * n) for n in (2, 3, 4)]
        assert await release(held, first, *others) == [{"a": 1}, {"bb": 2}, {"bbb": 3}, {"bbbb": 4}]
    assert held.batches == [["a"], ["bb", "bbb", "bbbb"]]


async def test_workers_run_at_the_same_time(held: Held) -> None:
    """With two workers two batches are computed at a time, and equal texts of either are still computed once."""
    async with held.scheduler(workers=2) as scheduler:
        first = start(scheduler, "a", "b", "c", "d", "e", "f")
        await held.started(2)
        second = start(scheduler, "a", "f", "g")
        assert await release(held, first, second) == [dict.fromkeys("abcdef", 1), dict.fromkeys("afg", 1)]
    assert sorted(text for batch in held.batches for text in batch) == list("abcdefg")


async def test_one_text_is_not_stuck_behind_many(held: Held) -> None:
    """A request of one text passes one of very many: it waits for one turn of that (here a batch) only."""
    async with held.scheduler(queue_max=100) as scheduler:
        many = start(scheduler, *(f"m{n}" for n in range(40)))
        await held.started(1)
        one = start(scheduler, "one")
        await release(held, many, one)
    assert "one" in held.batches[2]


async def test_many_texts_get_their_turns_among_small_requests(held: Held) -> None:
    """A request of very many texts is not starved: in each turn a batch is its own, however many small ones come."""
    async with held.scheduler(queue_max=200) as scheduler:
        small = [start(scheduler, f"s{n}", f"t{n}", f"u{n}", f"v{n}") for n in range(2)]
        await held.started(1)
        many = start(scheduler, *(f"m{n}" for n in range(40)))
        await asyncio.sleep(0)
        small += [start(scheduler, f"s{n}", f"t{n}", f"u{n}", f"v{n}") for n in range(2, 4)]
        await release(held, many, *small)
    firsts = [batch[0][0] for batch in held.batches]
    assert firsts[:6] == ["s", "s", "m", "s", "s", "m"]


async def test_a_smaller_request_does_not_pass_an_earlier_one(held: Held) -> None:
    """Requests of at most a portion are served in their order whatever their size, so later ones break no promise."""
    async with held.scheduler(queue_max=100) as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        earlier = start(scheduler, *(f"e{n}" for n in range(16)))
        later = [start(scheduler, f"l{n}") for n in range(4)]
        await release(held, first, earlier, *later)
    assert [batch[0][0] for batch in held.batches] == ["a", "e", "e", "e", "e", "l"]


async def test_requests_of_one_size_are_served_in_their_order(held: Held) -> None:
    """Later requests of the same size do not delay earlier ones: each is whole before the next begins."""
    async with held.scheduler(queue_max=100) as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        others = [start(scheduler, *(f"{name}{n}" for n in range(4))) for name in "bcd"]
        await release(held, first, *others)
    assert [sorted({text[0] for text in batch}) for batch in held.batches] == [["a"], ["b"], ["c"], ["d"]]


async def test_equal_texts_are_computed_once(held: Held) -> None:
    """Equal texts, in one request, waiting, or under way, share one inference; each request gets the result."""
    async with held.scheduler() as scheduler:
        first = start(scheduler, "x", "x")
        await held.started(1)
        second, third = start(scheduler, "x", "y"), start(scheduler, "y")
        assert await release(held, first, second, third) == [{"x": 1}, {"x": 1, "y": 1}, {"y": 1}]
    assert held.batches == [["x"], ["y"]]


async def test_the_queue_is_bounded(held: Held) -> None:
    """Beyond the bound a request is refused with a time to come back; the accepted ones finish."""
    async with held.scheduler() as scheduler:
        running = start(scheduler, "a")
        await held.started(1)
        waiting = start(scheduler, *(f"w{n}" for n in range(8)))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="8 texts wait to be scored") as refused:
            await start(scheduler, "b", "c", "d")
        assert int(refused.value.headers()["Retry-After"]) >= 1
        fits = start(scheduler, "b", "c")
        results = await release(held, running, waiting, fits)
    assert [len(result) for result in results] == [1, 8, 2]


async def test_a_request_that_would_wait_too_long_is_refused(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Admission is by predicted waiting time at the measured pace; a small request, whose turn comes soon, is taken."""
    monkeypatch.setattr(Pace, "seconds", lambda _, cost: cost / 20)
    async with held.scheduler(queue_max=10_000, wait_max_seconds=1.0) as scheduler:
        many = [start(scheduler, *(f"{name}{n}" for n in range(60))) for name in "mn"]
        await held.started(1)
        with pytest.raises(QueueFull) as refused:
            await start(scheduler, *(f"o{n}" for n in range(17)))
        assert refused.value.headers()["Retry-After"] == "1"
        small = start(scheduler, "small")
        assert [len(result) for result in await release(held, *many, small)] == [60, 60, 1]


async def test_slow_processors_do_not_refuse_a_few_callers(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the pace, what takes no longer than one and a half portions may wait; more than that is refused."""
    monkeypatch.setattr(Pace, "seconds", lambda _, cost: float(cost))
    async with held.scheduler(queue_max=10_000, wait_max_seconds=0.1) as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        few = [start(scheduler, *(f"{name}{n}" for n in range(10))) for name in "bc"]
        await asyncio.sleep(0)
        more = start(scheduler, *(f"d{n}" for n in range(10)))
        with pytest.raises(QueueFull):
            await start(scheduler, "one too many")
        assert [len(result) for result in await release(held, first, *few, more)] == [1, 10, 10, 10]


async def test_small_requests_are_refused_at_the_bound_that_large_ones_may_pass(held: Held) -> None:
    """Behind a second of small requests a small one is refused, and one of many texts is let in to wait longer."""
    async with held.scheduler(queue_max=10_000, wait_max_seconds=1.0) as scheduler:
        first = start(scheduler, "slow")
        await held.started(1)
        await asyncio.sleep(0.05)  # so that the pace is at most 20 texts a second
        await release(held, first)
        held.gate = asyncio.Semaphore(0)
        waiting: list[asyncio.Task[dict[str, int]]] = []
        with pytest.raises(QueueFull):
            for number in range(100):
                small = start(scheduler, *(f"{number}.{n}" for n in range(16)))
                await asyncio.sleep(0)
                if small.done():
                    await small
                waiting.append(small)
        large = start(scheduler, *(f"l{n}" for n in range(160)))
        assert len((await release(held, large, *waiting))[0]) == 160


async def test_a_request_that_cannot_meet_its_deadline_is_refused(held: Held) -> None:
    """What would be answered after its caller has gone is refused at once, while others wait."""
    async with held.scheduler(wait_max_seconds=60.0) as scheduler:
        first = start(scheduler, "slow")
        await held.started(1)
        await asyncio.sleep(0.05)
        await release(held, first)
        held.gate = asyncio.Semaphore(0)
        waiting = start(scheduler, "a", "b", "c", "d", "e", "f")
        await held.started(2)
        set_request(RequestInfo(deadline=asyncio.get_running_loop().time() + 0.01))
        with pytest.raises(QueueFull):
            await start(scheduler, "late")
        set_request(None)
        assert len((await release(held, waiting))[0]) == 6


async def test_a_request_above_the_bound_is_taken_when_nothing_waits(held: Held) -> None:
    """A request larger than the whole queue is not refused for ever."""
    async with held.scheduler() as scheduler:
        assert len((await release(held, start(scheduler, *(f"m{n}" for n in range(30)))))[0]) == 30


async def test_texts_of_like_length_go_together(held: Held) -> None:
    """A batch holds neighbours in length, of whichever requests, and no more than its budget with padding."""
    async with held.scheduler(batch_max=40, queue_max=100) as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        lengths = [3, 20, 4, 19, 3, 18, 4, 20]
        others = [start(scheduler, f"long:{lengths[n]}:{n}", f"long:{lengths[n + 1]}:{n}") for n in range(0, 8, 2)]
        await release(held, first, *others)
    costs = [[request(text).cost for text in batch] for batch in held.batches[1:]]
    assert sorted(cost for batch in costs for cost in batch) == sorted(lengths)
    assert all(len(batch) * max(batch) <= 40 for batch in costs)
    assert all(max(batch) - min(batch) <= 2 for batch in costs)


async def test_padding_is_not_dearer_than_a_batch(held: Held) -> None:
    """A text that would cost more padding than a batch of its own costs is left for a later batch."""
    async with held.scheduler(batch_max=400, queue_max=100) as scheduler:
        first = start(scheduler, "a")
        await held.started(1)
        others = start(scheduler, "long:50:x", "long:45:x", "long:39:x", "long:30:x", "long:28:x")
        await release(held, first, others)
    costs = [sorted(request(text).cost for text in batch) for batch in held.batches[1:]]
    assert costs == [[45, 50], [30, 39], [28]]


async def test_a_text_above_the_budget_goes_alone(held: Held) -> None:
    """A text that costs more than a batch may is computed, by itself."""
    async with held.scheduler() as scheduler:
        await release(held, start(scheduler, "long:9:x", "a", "b"))
    assert sorted(map(sorted, held.batches)) == [["a", "b"], ["long:9:x"]]


def test_pace() -> None:
    """The pace is tokens over seconds of the last inferences, and nothing is predicted before the first."""
    pace = Pace()
    assert pace.seconds(100) == 0
    pace.note(100, 1.0)
    pace.note(300, 1.0)
    assert pace.seconds(100) == pytest.approx(0.5)


async def test_what_nobody_awaits_is_not_computed(held: Held) -> None:
    """The texts of a cancelled request are dropped, except those that another request shares."""
    async with held.scheduler() as scheduler:
        running = start(scheduler, "a")
        await held.started(1)
        gone = start(scheduler, "dropped", "shared")
        await asyncio.sleep(0)
        stays = start(scheduler, "shared")
        await asyncio.sleep(0)
        gone.cancel()
        assert await release(held, running, stays) == [{"a": 1}, {"shared": 6}]
        assert await start(scheduler, "dropped") == {"dropped": 7}
    assert held.batches == [["a"], ["shared"], ["dropped"]]


async def test_a_failure_reaches_its_requests_only(held: Held) -> None:
    """An exception of the function is raised in each request of that batch, and the next batch is computed."""

    def fail_on_bad(texts: Sequence[str]) -> list[int]:
        if "bad" in texts:
            raise ValueError("no result")
        return [len(text) for text in texts]

    async with held.scheduler(fail_on_bad) as scheduler:
        held.gate.release()
        with pytest.raises(ValueError, match="no result"):
            await start(scheduler, "bad", "also")
        assert await release(held, start(scheduler, "also")) == [{"also": 4}]


async def test_no_texts(held: Held) -> None:
    """No texts need no inference."""
    async with held.scheduler() as scheduler:
        assert await scheduler.submit([]) == {}
    assert held.batches == []

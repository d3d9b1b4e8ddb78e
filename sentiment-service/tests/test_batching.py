"""Dynamic batching, with a function that the test holds back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sentiment_service.batching import Batcher, units
from sentiment_service.errors import QueueFull


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
        async with asyncio.timeout(5):
            while len(self.batches) < count:
                await asyncio.sleep(0)

    @asynccontextmanager
    async def batcher(
        self, function: Callable[[Sequence[str]], list[int]] = lambda texts: [len(text) for text in texts], **given: Any
    ) -> AsyncIterator[Batcher[int]]:
        """A running batcher of at most 4 texts a batch and 10 in the queue."""
        batcher = Batcher(function, self.in_thread, **{"batch_max": 4, "queue_max": 10, **given})
        running = asyncio.create_task(batcher.run())
        try:
            yield batcher
        finally:
            running.cancel()


@pytest.fixture
async def held() -> Held:
    """A function to be released."""
    return Held()


def start(batcher: Batcher[int], *texts: str) -> asyncio.Task[dict[str, int]]:
    """Submit ``texts`` in a task."""
    return asyncio.create_task(batcher.submit(texts))


async def release(held: Held, *tasks: asyncio.Task[dict[str, int]]) -> list[dict[str, int]]:
    """Let everything through and return the results."""
    for _ in range(100):
        held.gate.release()
    async with asyncio.timeout(5):
        return await asyncio.gather(*tasks)


async def test_what_arrives_meanwhile_is_one_batch(held: Held) -> None:
    """A lone text goes at once; those that arrive during its inference go together, and all get their own result."""
    async with held.batcher() as batcher:
        first = start(batcher, "a")
        await held.started(1)
        others = [start(batcher, "b" * n) for n in (2, 3, 4)]
        assert await release(held, first, *others) == [{"a": 1}, {"bb": 2}, {"bbb": 3}, {"bbbb": 4}]
    assert held.batches == [["a"], ["bb", "bbb", "bbbb"]]


async def test_waiting_fills_a_batch(held: Held) -> None:
    """With a wait, texts of requests that come shortly one after the other share the first batch."""
    async with held.batcher(wait_seconds=0.02) as batcher:
        first = start(batcher, "a")
        await asyncio.sleep(0.002)
        second = start(batcher, "b")
        await release(held, first, second)
    assert held.batches == [["a", "b"]]


async def test_one_text_is_not_stuck_behind_many(held: Held) -> None:
    """A batch is shared between the waiting requests: a single text is in the first batch after its arrival."""
    async with held.batcher() as batcher:
        many = start(batcher, *(f"m{n}" for n in range(9)))
        await held.started(1)
        one = start(batcher, "one")
        await release(held, many, one)
    assert held.batches == [["m0", "m1", "m2", "m3"], ["m4", "m5", "one", "m6"], ["m7", "m8"]]


async def test_equal_texts_are_computed_once(held: Held) -> None:
    """Equal texts, in one request, waiting, or under way, share one inference; each request gets the result."""
    async with held.batcher() as batcher:
        first = start(batcher, "x", "x")
        await held.started(1)
        second, third = start(batcher, "x", "y"), start(batcher, "y")
        assert await release(held, first, second, third) == [{"x": 1}, {"x": 1, "y": 1}, {"y": 1}]
    assert held.batches == [["x"], ["y"]]


async def test_the_queue_is_bounded(held: Held) -> None:
    """Beyond the bound a request is refused with a time to come back; the accepted ones finish."""
    async with held.batcher() as batcher:
        running = start(batcher, "a")
        await held.started(1)
        waiting = start(batcher, *(f"w{n}" for n in range(8)))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="8 texts wait to be scored and 10 may") as refused:
            await batcher.submit(["b", "c", "d"])
        assert int(refused.value.headers()["Retry-After"]) >= 1
        fits = start(batcher, "b", "c")
        results = await release(held, running, waiting, fits)
    assert [len(result) for result in results] == [1, 8, 2]


async def test_a_request_above_the_bound_is_taken_when_nothing_waits(held: Held) -> None:
    """A request larger than the whole queue is not refused for ever."""
    async with held.batcher() as batcher:
        assert len((await release(held, start(batcher, *(f"m{n}" for n in range(30)))))[0]) == 30


async def test_long_texts_count_by_length(held: Held) -> None:
    """A text counts once per 500 characters begun, in a batch and in the queue, so that a batch bounds the time."""
    assert [units("x" * size) for size in (0, 1, 500, 501, 10_000)] == [1, 1, 1, 2, 20]
    async with held.batcher() as batcher:
        await release(held, start(batcher, "x" * 1500, "a", "b", "y" * 700, "c"))
    assert [[len(text) for text in batch] for batch in held.batches] == [[1500, 1], [1, 700, 1]]


async def test_what_nobody_awaits_is_not_computed(held: Held) -> None:
    """The texts of a cancelled request are dropped, except those that another request shares."""
    async with held.batcher() as batcher:
        running = start(batcher, "a")
        await held.started(1)
        gone = start(batcher, "dropped", "shared")
        await asyncio.sleep(0)
        stays = start(batcher, "shared")
        await asyncio.sleep(0)
        gone.cancel()
        assert await release(held, running, stays) == [{"a": 1}, {"shared": 6}]
        assert await start(batcher, "dropped") == {"dropped": 7}
    assert held.batches == [["a"], ["shared"], ["dropped"]]


async def test_a_failure_reaches_its_requests_only(held: Held) -> None:
    """An exception of the function is raised in each request of that batch, and the next batch is computed."""

    def fail_on_bad(texts: Sequence[str]) -> list[int]:
        if "bad" in texts:
            raise ValueError("no result")
        return [len(text) for text in texts]

    async with held.batcher(fail_on_bad) as batcher:
        held.gate.release()
        with pytest.raises(ValueError, match="no result"):
            await batcher.submit(["bad", "also"])
        assert await release(held, start(batcher, "also")) == [{"also": 4}]


async def test_no_texts(held: Held) -> None:
    """No texts need no inference."""
    async with held.batcher() as batcher:
        assert await batcher.submit([]) == {}
    assert held.batches == []

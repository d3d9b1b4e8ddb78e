"""The gated circuit breaker: what opens it, who may try, what counts."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from castor_chassis.client.breaker import BreakerOpen, GatedBreaker
from castor_chassis.testing import end_pause


class Down(Exception):
    """The peer's failure."""


async def fail() -> None:
    raise Down


async def succeed() -> str:
    return "fine"


def breaker(*, fail_max: int = 3, reset_seconds: float = 60) -> GatedBreaker:
    return GatedBreaker(
        "test", fail_max=fail_max, reset_seconds=reset_seconds, counts=lambda error: not isinstance(error, KeyError)
    )


async def trip(guarded: GatedBreaker) -> None:
    for _ in range(guarded.fail_max):
        with pytest.raises(Down):
            await guarded.guard(fail)


async def test_opens_after_consecutive_failures_and_raises_the_true_error() -> None:
    """The call that trips it raises its own error; the next one is refused unmade with the time to wait."""
    guarded = breaker(reset_seconds=30)
    await trip(guarded)
    with pytest.raises(BreakerOpen) as refused:
        await guarded.guard(succeed)
    assert 29 < refused.value.retry_after_seconds <= 30


async def test_success_resets_the_count() -> None:
    """Failures that are not consecutive do not open it."""
    guarded = breaker()
    for _ in range(4):
        with pytest.raises(Down):
            await guarded.guard(fail)
        with pytest.raises(Down):
            await guarded.guard(fail)
        await guarded.guard(succeed)
    assert not guarded.is_open


async def test_half_open_lets_one_of_200_concurrent_calls_through() -> None:
    """Of 200 concurrent calls after the pause, one reaches the peer; its success lets all others through."""
    guarded = breaker()
    await trip(guarded)
    end_pause(guarded)
    reached = 0

    async def probe() -> None:
        nonlocal reached
        reached += 1
        await asyncio.sleep(0.05)

    results = await asyncio.gather(*(guarded.guard(probe) for _ in range(200)), return_exceptions=True)
    assert reached == 1
    assert sum(isinstance(result, BreakerOpen) for result in results) == 199
    assert await guarded.guard(succeed) == "fine"


async def test_failed_trial_opens_again_for_the_whole_pause() -> None:
    """A trial that fails begins a new outage."""
    guarded = breaker()
    await trip(guarded)
    end_pause(guarded)
    with pytest.raises(Down):
        await guarded.guard(fail)
    with pytest.raises(BreakerOpen) as refused:
        await guarded.guard(succeed)
    assert 30 < refused.value.retry_after_seconds <= 60


async def test_late_failure_does_not_extend_an_outage() -> None:
    """A call begun while closed that fails while open leaves the time of reopening as it was."""
    guarded = breaker()
    release = asyncio.Event()

    async def late() -> None:
        await release.wait()
        raise Down

    calls = [asyncio.ensure_future(guarded.guard(late)) for _ in range(5)]
    await asyncio.sleep(0)
    await trip(guarded)
    end_pause(guarded)
    release.set()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await guarded.guard(succeed) == "fine"


async def test_opening_an_open_breaker_changes_nothing() -> None:
    """The pause counts from the first opening."""
    guarded = breaker()
    await trip(guarded)
    end_pause(guarded)
    guarded.open()
    assert await guarded.guard(succeed) == "fine"


async def test_late_failure_does_not_end_a_trial() -> None:
    """A call begun before the outage that fails during the trial does not open the breaker again."""
    guarded = breaker()
    release = asyncio.Event()

    async def late() -> None:
        await release.wait()
        raise Down

    call = asyncio.ensure_future(guarded.guard(late))
    await asyncio.sleep(0)
    await trip(guarded)
    end_pause(guarded)
    trial = asyncio.ensure_future(guarded.guard(lambda: asyncio.sleep(0.05)))
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(call, return_exceptions=True)
    await trial
    assert await guarded.guard(succeed) == "fine"


async def test_stale_success_does_not_close_an_open_breaker() -> None:
    """A call begun before the outage that succeeds during it changes nothing."""
    guarded = breaker()
    release = asyncio.Event()

    async def late() -> None:
        await release.wait()

    call = asyncio.ensure_future(guarded.guard(late))
    await asyncio.sleep(0)
    await trip(guarded)
    release.set()
    await call
    with pytest.raises(BreakerOpen):
        await guarded.guard(succeed)


async def test_stale_success_does_not_end_a_trial() -> None:
    """A call begun before the outage that succeeds during the trial lets nobody else through yet."""
    guarded = breaker()
    release = asyncio.Event()
    call = asyncio.ensure_future(guarded.guard(release.wait))
    await asyncio.sleep(0)
    await trip(guarded)
    end_pause(guarded)
    trial = asyncio.ensure_future(guarded.guard(lambda: asyncio.sleep(0.05)))
    await asyncio.sleep(0)
    release.set()
    await call
    with pytest.raises(BreakerOpen):
        await guarded.guard(succeed)
    await trial


async def test_cancellation_neither_counts_nor_resets() -> None:
    """Calls that their callers gave up say nothing about the peer: not a failure, and no end of a row of failures."""
    guarded = breaker()
    for _ in range(2):
        with pytest.raises(Down):
            await guarded.guard(fail)
    for _ in range(5):
        call = asyncio.ensure_future(guarded.guard(lambda: asyncio.sleep(10)))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert not guarded.is_open
    with pytest.raises(Down):
        await guarded.guard(fail)
    assert guarded.is_open


async def test_a_timeout_counts_inside_and_not_outside() -> None:
    """A timeout of the guarded call is the peer's; one around it is the caller's own and does not count."""
    guarded = breaker(fail_max=2)

    async def hung() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        await guarded.guard(hung)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await guarded.guard(lambda: asyncio.sleep(10))
    assert not guarded.is_open
    with pytest.raises(TimeoutError):
        await guarded.guard(hung)
    assert guarded.is_open


async def test_cancelled_trial_does_not_block_the_next() -> None:
    """A trial that is cancelled decides nothing: the next call is a trial again."""
    guarded = breaker()
    await trip(guarded)
    end_pause(guarded)
    trial = asyncio.ensure_future(guarded.guard(lambda: asyncio.sleep(10)))
    await asyncio.sleep(0)
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)
    assert await guarded.guard(succeed) == "fine"


async def test_uncounted_error_neither_counts_nor_resets() -> None:
    """Errors that say nothing about the peer's health leave the count as it is."""
    guarded = breaker()

    async def missing() -> None:
        raise KeyError

    for call in (fail, fail, missing, missing, fail):
        with pytest.raises((Down, KeyError)):
            await guarded.guard(call)
    assert guarded.is_open


@pytest.mark.parametrize("zone", ["America/Bogota", "Asia/Tokyo"])
async def test_clock_is_independent_of_the_time_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause is the same in every time zone."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        guarded = breaker(reset_seconds=0.1)
        await trip(guarded)
        await asyncio.sleep(0.12)
        assert await guarded.guard(succeed) == "fine"
    finally:
        monkeypatch.undo()
        os.environ.get("TZ")
        time.tzset()

"""One retry loop: services, language models and X are called by the same rules."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest

from castor_chassis import RequestInfo, ServiceError, set_request
from castor_chassis.testing import end_pause
from castor_chassis.wire.errors import DeadlineExceeded
from tests.contract.retry_callers import CALLERS, Caller, Server

TIMEOUT = 20.0
HURRY = 0.5
Calling = Callable[..., AbstractAsyncContextManager[Caller]]


@pytest.fixture(params=CALLERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the three calls."""
    return str(request.param)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server().listening() as listening:
        yield listening


@pytest.fixture(autouse=True)
def no_deadline() -> Iterator[None]:
    """A test sets its own deadline; none is left to the next."""
    yield
    set_request(None)


@pytest.fixture
def calling(kind: str, server: Server, redis_url: str) -> Calling:
    """Return ``calling(**policy)``, a context with the caller."""

    @asynccontextmanager
    async def made(**changed: float) -> AsyncIterator[Caller]:
        policy = {"attempts": 3, "timeout": TIMEOUT, "fail_max": 4, "reset": 30.0, **changed}
        caller = CALLERS[kind](server, policy, redis_url)
        try:
            yield caller
        finally:
            await caller.close()

    return made


def within(seconds: float) -> None:
    """Give what follows a deadline."""
    set_request(RequestInfo(deadline=asyncio.get_running_loop().time() + seconds))


async def fails(caller: Caller) -> ServiceError:
    """Call, and return the error."""
    with pytest.raises(ServiceError) as caught:
        await caller.call()
    return caught.value


async def leave(caller: Caller, server: Server) -> None:
    """Call, and go away once the server has the request."""
    server.arrived.clear()
    call = asyncio.ensure_future(caller.call())
    await asyncio.wait_for(server.arrived.wait(), 30)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call


async def test_what_may_pass_is_tried_again(calling: Calling, server: Server) -> None:
    """Two failures cost two more attempts, and the caller gets its answer."""
    async with calling() as caller:
        server.fail(2)
        await caller.call()
    assert server.requests == 3


async def test_attempts_are_bounded(calling: Calling, server: Server) -> None:
    """After the last attempt the caller hears that the peer is unavailable."""
    async with calling(fail_max=100) as caller:
        server.fail(9)
        assert (await fails(caller)).status == 503
    assert server.requests == 3


async def test_a_refusal_is_final_and_no_outage(calling: Calling, server: Server) -> None:
    """A 4xx is asked once, whatever the number of attempts, and never opens the breaker."""
    async with calling(fail_max=2) as caller:
        server.refuse(5)
        for _ in range(5):
            assert (await fails(caller)).status == 502
        assert not caller.breaker.is_open
    assert server.requests == 5


async def test_retries_have_a_budget(calling: Calling, server: Server) -> None:
    """However many calls fail, retries stay within a burst of ten and a fifth of the calls."""
    async with calling(attempts=2, fail_max=1000) as caller:
        server.fail(200)
        for _ in range(40):
            await fails(caller)
    assert 40 < server.requests <= 40 + 10 + 8


async def test_failures_open_the_breaker_which_heals(calling: Calling, server: Server) -> None:
    """After enough failures in a row nothing is sent; after the pause one trial closes it."""
    async with calling(attempts=1) as caller:
        server.fail(4)
        for _ in range(4):
            await fails(caller)
        assert caller.breaker.is_open
        assert (await fails(caller)).retry_after_seconds is not None
        assert server.requests == 4
        end_pause(caller.breaker)
        await caller.call()
        assert not caller.breaker.is_open


async def test_a_peer_that_never_answers_opens_the_breaker(calling: Calling, server: Server) -> None:
    """An attempt that had all of its time counts as a failure."""
    async with calling(attempts=1, timeout=0.3, fail_max=2) as caller:
        server.hang(2)
        for _ in range(2):
            await fails(caller)
        assert caller.breaker.is_open


async def test_retry_after_replaces_the_back_off(calling: Calling, server: Server) -> None:
    """The peer's own waiting time is kept."""
    async with calling() as caller:
        server.fail(1, retry_after=1)
        within(20)
        began = time.monotonic()
        await caller.call()
    assert time.monotonic() - began >= 0.9
    assert server.requests == 2


async def test_retry_after_beyond_the_deadline_fails_at_once(calling: Calling, server: Server) -> None:
    """Nobody waits for an answer that would come too late."""
    async with calling() as caller:
        server.fail(1, retry_after=300)
        within(60)
        began = time.monotonic()
        error = await fails(caller)
    assert time.monotonic() - began < 30
    assert (error.status, error.retry_after_seconds) == (503, 300)
    assert server.requests == 1


async def test_a_throttled_call_waits_and_is_no_outage(calling: Calling, server: Server) -> None:
    """A 429 says when to come again: the call waits for that, and the breaker does not count it."""
    async with calling(fail_max=1) as caller:
        server.throttle(1)
        began = time.monotonic()
        await caller.call()
        assert time.monotonic() - began >= 0.9
        assert not caller.breaker.is_open
    assert server.requests == 2


async def test_a_throttled_call_without_the_time_for_it_fails_at_once(calling: Calling, server: Server) -> None:
    """Where the time to wait passes the deadline, the caller hears so at once."""
    async with calling(fail_max=1) as caller:
        server.throttle(300)
        within(60)
        began = time.monotonic()
        error = await fails(caller)
        assert time.monotonic() - began < 30
        assert (error.status, caller.breaker.is_open) == (503, False)
    assert server.requests == 1


async def test_a_spent_deadline_sends_nothing(calling: Calling, server: Server) -> None:
    """A caller that has no time left is told so, and the peer is spared."""
    async with calling() as caller:
        within(-1)
        assert isinstance(await fails(caller), DeadlineExceeded)
    assert server.requests == 0


async def test_hurried_callers_open_no_breaker(calling: Calling, server: Server) -> None:
    """Callers whose own deadline is shorter than an attempt's time say nothing about the peer, however many."""
    async with calling(attempts=1, fail_max=2) as caller:
        server.hang(5)
        for _ in range(5):
            within(HURRY)
            assert (await fails(caller)).status in (503, 504)
        assert not caller.breaker.is_open
        set_request(None)
        server.script.clear()
        await caller.call()


async def test_callers_that_leave_open_no_breaker_and_are_not_repeated(calling: Calling, server: Server) -> None:
    """A caller that goes away is no failure of the peer, and nothing is sent for it any more."""
    async with calling(fail_max=2) as caller:
        server.hang(5)
        for _ in range(5):
            await leave(caller, server)
        assert not caller.breaker.is_open
        await asyncio.sleep(0.3)
        assert server.requests == 5
        await caller.call()


async def test_what_says_nothing_about_the_peer_resets_nothing(calling: Calling, server: Server) -> None:
    """Between two failures, hurry, leaving and refusals neither count nor start the count anew."""
    async with calling(attempts=1, fail_max=2) as caller:
        server.fail(1)
        await fails(caller)
        server.hang(2)
        within(HURRY)
        await fails(caller)
        set_request(None)
        await leave(caller, server)
        server.script.clear()
        server.refuse(1)
        await fails(caller)
        assert not caller.breaker.is_open
        server.fail(1)
        await fails(caller)
        assert caller.breaker.is_open


async def test_hurry_does_not_use_up_the_trial(calling: Calling, server: Server) -> None:
    """Half-open, a trial that its caller cuts short decides nothing: the next call is the trial, and closes it."""
    async with calling(attempts=1, fail_max=1) as caller:
        server.fail(1)
        await fails(caller)
        end_pause(caller.breaker)
        server.hang(1)
        within(HURRY)
        await fails(caller)
        set_request(None)
        server.script = ["hang"]
        await leave(caller, server)
        await caller.call()
        assert not caller.breaker.is_open

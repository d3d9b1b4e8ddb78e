"""Readiness: what must have been there once, and what may go away again."""

from __future__ import annotations

import asyncio
import time

from castor_chassis import Health, Unavailable
from small_service import Running


async def test_a_check_blocks_until_it_has_passed_once() -> None:
    """Before its first success a check keeps the service not ready; afterwards its failure is only shown."""
    health, is_away = Health(), True

    async def database() -> None:
        if is_away:
            raise Unavailable(reason="no database")

    health.check("database", database)
    before = await health.report()
    is_away = False
    there = await health.report()
    is_away = True
    after = await health.report()
    assert [before[0], there[0], after[0]] == [False, True, True]
    assert after[1]["database"].startswith("degraded: no database")


async def test_a_hanging_check_does_not_hang_the_probe() -> None:
    """A check without an answer is reported within the time limit."""
    health = Health()
    health.check("slow", lambda: asyncio.sleep(60))
    is_ready, parts = await health.report(timeout_seconds=0.05)
    assert (is_ready, parts["slow"]) == (False, "no answer within 0.05 s")


async def test_draining_is_not_ready() -> None:
    """A service that is shutting down says so."""
    health = Health(draining=True)
    assert await health.report() == (False, {"shutdown": "draining"})


async def test_an_idle_client_does_not_hold_up_the_shutdown(running: Running) -> None:
    """A kept-alive connection whose client does not read delays the end by seconds, not by half a minute."""
    async with running() as service:
        await service.client.get("/v1/small/slow?seconds=0")
        started = time.monotonic()
        service.pair.stop()
        while not service.pair.management.should_exit:
            await asyncio.sleep(0.05)
        assert time.monotonic() - started < 10

"""Leases: one replica works at a time, another takes over, and names say whose work it is."""

from __future__ import annotations

import asyncio

import pytest

from castor_chassis import Postgres, run_under_lease
from castor_chassis.testing import until


async def opened(url: str) -> Postgres:
    postgres = Postgres(url, size=4)
    await postgres.open()
    return postgres


async def test_one_replica_works_and_another_takes_over(postgres_url: str) -> None:
    """Of two replicas one works; when it is gone, the other begins."""
    first, second = await opened(postgres_url), await opened(postgres_url)
    running: set[str] = set()

    def worker(name: str) -> asyncio.Task[None]:
        async def work() -> None:
            running.add(name)
            try:
                await asyncio.sleep(60)
            finally:
                running.discard(name)

        postgres = first if name == "first" else second
        return asyncio.ensure_future(run_under_lease(postgres, "test:takeover", work, poll_seconds=0.1))

    async def runs(name: str) -> bool:
        return running == {name}

    one = worker("first")
    await until(lambda: runs("first"))
    two = worker("second")
    await asyncio.sleep(0.4)
    assert running == {"first"}
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    await until(lambda: runs("second"))
    two.cancel()
    await asyncio.gather(two, return_exceptions=True)
    await first.close()
    await second.close()


async def test_lost_session_stops_the_work(postgres_url: str) -> None:
    """When the session that holds the lease breaks, its work is stopped: another may have begun."""
    postgres = await opened(postgres_url)
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    lease = asyncio.ensure_future(run_under_lease(postgres, "test:lost", work, poll_seconds=0.1))
    await asyncio.wait_for(begun.wait(), 30)
    killer = await opened(postgres_url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    await asyncio.wait_for(stopped.wait(), 30)
    with pytest.raises(Exception, match="database|closed|terminat"):
        await lease
    await postgres.close()
    await killer.close()


@pytest.mark.parametrize("name", ["takeover", "Test:takeover", "test:", "test:take over", "a:b:c"])
async def test_a_lease_is_named_for_its_service(postgres_url: str, name: str) -> None:
    """A name that does not say service and work is refused before anything runs."""
    postgres = await opened(postgres_url)

    async def work() -> None:
        raise AssertionError("it ran")

    with pytest.raises(ValueError, match="<service>:<work>"):
        await run_under_lease(postgres, name, work)
    await postgres.close()

"""Whose back-tests wait, and what a migration leaves of them."""

from __future__ import annotations

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate, migration_files
from forecast_service.backtests.model import OriginResult
from forecast_service.backtests.repository import BacktestRepository

from .test_evaluation import PLAN


async def test_nobody_takes_all_places(postgres_url: str) -> None:
    """One caller waits for so many at a time; others find places, and an ended job gives its place back."""
    await migrate(postgres_url, "forecast_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    await postgres.execute("TRUNCATE backtests CASCADE")
    backtests = BacktestRepository(postgres)

    async def is_queued(name: str, asked_by: str) -> bool:
        return await backtests.add(name, PLAN, 10, asked_by=asked_by, most_open=4, most_of_one=2) is not None

    assert [await is_queued(f"ana-{n}", "ana") for n in (1, 2, 3, 1)] == [True, True, False, True]
    assert [await is_queued(f"luz-{n}", "luz") for n in (1, 2, 3)] == [True, True, False]
    assert not await is_queued("eva-1", "eva")
    await backtests.end("ana-1", None)
    assert [await is_queued("ana-3", "ana"), await is_queued("ana-4", "ana")] == [True, False]
    # What is done is answered however many wait; what failed would wait again.
    assert await is_queued("ana-1", "ana")
    await backtests.end("luz-1", "broken")
    assert [await is_queued(f"eva-{n}", "eva") for n in (1, 2)] == [True, False]
    assert not await is_queued("luz-1", "luz")
    await postgres.close()


async def test_jobs_that_an_older_algorithm_began_are_begun_anew(postgres_url: str) -> None:
    """The migration leaves what is done as it is."""
    await migrate(postgres_url, "forecast_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    await postgres.execute("TRUNCATE backtests CASCADE")
    backtests = BacktestRepository(postgres)
    for name in ("begun", "failed", "done"):
        await backtests.add(name, PLAN, 10, asked_by=name, most_open=99, most_of_one=9)
        await backtests.keep(name, OriginResult(20, []))
    await backtests.end("failed", "broken")
    await backtests.end("done", None)
    await postgres.execute(dict(migration_files("forecast_service"))["0006_backtests_begun.sql"])
    assert [len(await backtests.results(name)) for name in ("begun", "failed", "done")] == [0, 0, 1]
    await postgres.close()

"""Whose back-tests wait."""

from __future__ import annotations

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
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
    await postgres.close()

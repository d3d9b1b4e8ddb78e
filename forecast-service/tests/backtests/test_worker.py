"""One job after another is run to its end."""

from __future__ import annotations

from typing import Any

import pytest

from castor_chassis import Postgres, Wakeup
from castor_chassis.storage.migrations import migrate
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.backtests.worker import BacktestRunner

from .test_evaluation import PLAN


class BrokenProcesses:
    """No forecast can be made in them."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def run(self, *_: Any) -> Any:
        """Raise."""
        raise self._error


@pytest.mark.parametrize("error", [ValueError("short"), TypeError("none"), KeyError("day"), RuntimeError("cmdstan")])
async def test_a_job_that_cannot_be_run_holds_up_no_other(postgres_url: str, error: Exception) -> None:
    """Whatever a method raises, the job ends with the reason, and the next one is taken."""
    await migrate(postgres_url, "forecast_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    await postgres.execute("TRUNCATE backtests CASCADE")
    backtests = BacktestRepository(postgres)
    await backtests.add("broken", PLAN, 10, asked_by="ana", most_open=4, most_of_one=2)
    await BacktestRunner(backtests, BrokenProcesses(error), Wakeup(), minimum_days=20).step()  # type: ignore[arg-type]
    reason = await postgres.fetchval("SELECT error FROM backtests WHERE id = 'broken'")
    assert (await backtests.next_open(), type(error).__name__ in reason) == (None, True)
    await postgres.close()

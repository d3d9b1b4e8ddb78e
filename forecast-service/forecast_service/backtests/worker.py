"""Runs back-tests one after another, an origin at a time in the processes that forecasts are made in."""

from __future__ import annotations

import structlog

from castor_chassis import DatabaseUnavailable, Unavailable, Wakeup
from forecast_service.backtests.evaluation import forecasts_from, origins_of
from forecast_service.backtests.model import Backtest
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.processes import Processes

IDLE_SECONDS = 2.0
KEPT_DAYS = 30
_MOST_TRIES = 150
"""Of one origin, two seconds apart, while callers take all places or the process ends on it."""
log = structlog.get_logger("castor.forecast.backtests")


class ProcessesBusy(Exception):
    """No process finished an origin for minutes."""


class BacktestRunner:
    """Runs jobs; run it under a lease.

    What is done of a job is stored origin by origin, so another replica goes on where one ended. A replica of another
    version may have held the lease before: what another algorithm did of a job is done again, and a job is ended only
    when every origin is stored.
    """

    def __init__(
        self, backtests: BacktestRepository, processes: Processes, wakeup: Wakeup, *, minimum_days: int
    ) -> None:
        self._backtests = backtests
        self._processes = processes
        self._wakeup = wakeup
        self._minimum_days = minimum_days

    async def run(self) -> None:
        """Run jobs until cancelled; raises what the database raises, and can then be run again."""
        await self._backtests.reopen()
        while True:
            if not await self.step():
                await self._backtests.forget(KEPT_DAYS)
                await self._wakeup.wait(IDLE_SECONDS)

    async def step(self) -> bool:
        """Run one job to its end; return whether there was one."""
        job = await self._backtests.next_open()
        if job is None:
            return False
        try:
            await self._complete(job)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # Whatever its series makes a method raise, the jobs behind it are run.
            log.warning("backtest_failed", backtest_id=job.id, exc_info=error)
            await self._backtests.end(job.id, f"A forecast could not be made ({type(error).__name__}).")
            return True
        await self._backtests.end(job.id, None)
        return True

    async def _complete(self, job: Backtest) -> None:
        """Make the forecasts of every origin that is not stored, until all are."""
        places = origins_of(job.plan, self._minimum_days)
        await self._backtests.take(job.id, len(places))
        while left := set(places) - {one.place for one in await self._backtests.results(job.id)}:
            for place in sorted(left):
                await self._test(job, place)

    async def _test(self, job: Backtest, place: int) -> None:
        """Make the forecasts of one origin; while too many callers wait, they go first."""
        for _ in range(_MOST_TRIES):
            try:
                result = await self._processes.run(forecasts_from, job.plan, place)
            except Unavailable:
                await self._wakeup.wait(IDLE_SECONDS)
                continue
            await self._backtests.keep(job.id, result)
            return
        raise ProcessesBusy

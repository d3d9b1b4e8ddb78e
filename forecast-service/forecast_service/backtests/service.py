"""Back-tests: asked for, followed, reported."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from castor_chassis import Unavailable, Wakeup
from forecast_service.backtests.evaluation import origins_of, report
from forecast_service.backtests.model import Backtest, Plan, Report, Tested
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.errors import BacktestNotFound, TooFewOrigins
from forecast_service.forecasts.history import least_half_width
from forecast_service.forecasts.model import DailySeries
from forecast_service.forecasts.posted import PostedForecasts, PostedSeries
from forecast_service.forecasts.service import ALGORITHM, ForecastService, series_of

MOST_OPEN, MOST_OF_ONE = 20, 5
"""Jobs that wait or run: of all callers, and of one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be chosen about a back-test; see ``Plan``."""

    methods: tuple[Tested, ...]
    horizon_days: int
    level: float
    origins: int
    every_days: int


@dataclass(frozen=True, slots=True)
class BacktestService:
    """Stores jobs for the worker and reports what they found. ``minimum_days`` as in forecasts."""

    backtests: BacktestRepository
    forecasts: ForecastService
    posted: PostedForecasts
    wakeup: Wakeup
    minimum_days: int

    async def of_entity(
        self, entity: str, as_of: datetime | None, wanted: Wanted, dataset: str | None, asked_by: str
    ) -> Backtest:
        """Queue a back-test of an entity's ICCE for a caller; the same question on the same data is the same job.

        Raises what ``ForecastService.forecast`` raises, ``TooFewOrigins``, ``DatabaseUnavailable``, and ``Unavailable``
        when too many wait.
        """
        index = await self.forecasts.index(entity, as_of, dataset)
        return await self._queue(_plan(series_of(index, wanted.level), wanted), asked_by)

    async def of_series(self, series: PostedSeries, wanted: Wanted, asked_by: str) -> Backtest:
        """Queue a back-test of a posted series; raises what ``PostedForecasts.forecast`` raises, and as above."""
        return await self._queue(_plan(self.posted.read(series), wanted), asked_by)

    async def get(self, backtest_id: str) -> Backtest:
        """Return a job and how far it is; raises ``BacktestNotFound``."""
        found = await self.backtests.get(backtest_id)
        if found is None:
            raise BacktestNotFound(backtest_id=backtest_id)
        return found

    async def report(self, backtest: Backtest) -> Report:
        """Return the scores of what is done of a job."""
        return report(backtest.plan, await self.backtests.results(backtest.id))

    async def _queue(self, plan: Plan, asked_by: str) -> Backtest:
        places: Sequence[int] = origins_of(plan, self.minimum_days)
        if not places:
            observed = sum(value is not None for value in plan.values)
            raise TooFewOrigins(observed=observed, needed=self.minimum_days + 1)
        backtest_id = hashlib.sha256(f"{ALGORITHM}|{plan}".encode()).hexdigest()[:32]
        job = await self.backtests.add(
            backtest_id, plan, len(places), asked_by=hashlib.sha256(asked_by.encode()).hexdigest()[:16],
            most_open=MOST_OPEN, most_of_one=MOST_OF_ONE,
        )  # fmt: skip
        if job is None:
            waiting = f"{MOST_OPEN} back-tests, or {MOST_OF_ONE} of yours, wait already"
            raise Unavailable(reason=waiting, retry_after_seconds=60)
        self.wakeup.set()
        return job


def _plan(series: DailySeries, wanted: Wanted) -> Plan:
    return Plan(
        first=series.first,
        values=series.values,
        bounds=series.bounds,
        least_half_width=least_half_width(series.values, series.half_widths),
        methods=wanted.methods,
        horizon=wanted.horizon_days,
        level=wanted.level,
        origins=wanted.origins,
        every=wanted.every_days,
        half_widths=series.half_widths,
    )

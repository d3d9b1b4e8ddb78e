"""Routes of back-tests."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, Unavailable, errors_of, ok
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.backtests import BacktestId, BacktestReport, BacktestRequest
from forecast_service.backtests.model import Backtest
from forecast_service.backtests.service import Wanted
from forecast_service.errors import (
    BacktestNotFound,
    DatasetNotFound,
    DataTooOld,
    EntityNotFound,
    NoVariation,
    TooFewDays,
    TooFewOrigins,
    UnusableSeries,
)
from forecast_service.forecasts.posted import PostedSeries

router = APIRouter(prefix="/v1/forecast/backtests", tags=["backtests"])
_ERRORS = (
    EntityNotFound,
    DatasetNotFound,
    TooFewDays,
    TooFewOrigins,
    DataTooOld,
    NoVariation,
    UnusableSeries,
    Unavailable,
)


@router.post("", status_code=202, responses=errors_of(*_ERRORS))
async def start_backtest(body: BacktestRequest, r: R, who: CanRead) -> Ok[BacktestReport]:
    """Queue a back-test: whole forecasts made again from earlier days. GET it for its progress and scores.

    Idempotent: the same question on the same data is the same job. A job that ended is kept for 30 days.
    """
    wanted = Wanted(tuple(dict.fromkeys(body.methods)), body.horizon_days, body.level, body.origins, body.every_days)
    return ok(await _report(r, await _queued(body, r, wanted, who.subject)))


@router.get("/{backtest_id}", responses=errors_of(BacktestNotFound))
async def get_backtest(backtest_id: BacktestId, r: R, _: CanRead) -> Ok[BacktestReport]:
    """Return how far a back-test is, and the scores of what is done."""
    return ok(await _report(r, await r.backtests.get(backtest_id)))


async def _queued(body: BacktestRequest, r: R, wanted: Wanted, asked_by: str) -> Backtest:
    if body.entity is not None:
        return await r.backtests.of_entity(body.entity, body.as_of, wanted, body.dataset, asked_by)
    days = tuple((item.date, item.value) for item in body.items or ())
    bounds = (body.bounds.lower, body.bounds.upper) if body.bounds else None
    return await r.backtests.of_series(PostedSeries(days, body.as_of, bounds), wanted, asked_by)


async def _report(r: R, job: Backtest) -> BacktestReport:
    made = await r.backtests.report(job)
    fields = ("id", "state", "done", "total", "error", "created_at", "updated_at")
    found = {name: getattr(job, name) for name in fields}
    return BacktestReport.model_validate(
        {**found, "level": job.plan.level, "scores": made.scores, "forecasts": made.forecasts}, from_attributes=True
    )

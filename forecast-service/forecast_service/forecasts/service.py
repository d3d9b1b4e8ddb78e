"""Forecasts of an entity's ICCE: made, stored, read back."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from castor_chassis import Unavailable, normal_time
from forecast_service.errors import DataTooOld, PredictionNotFound, TooFewDays
from forecast_service.forecasts.forecaster import Forecaster
from forecast_service.forecasts.model import Forecast, PredictedDay, Prediction
from forecast_service.forecasts.repository import PredictionRepository
from forecast_service.indexes.icce import latest_icce
from forecast_service.indexes.model import EntityIndex
from forecast_service.indexes.service import IndexService
from forecast_service.metrics import PREDICTIONS, SECONDS, SKILL

Fit = Callable[[Sequence[float | None], int, float, float], Forecast]
InThread = Callable[[Fit, Sequence[float | None], int, float, float], Awaitable[Forecast]]
ALGORITHM = 2
"""Part of the id: what another algorithm made of the same question is another forecast."""
RECENT_DAYS = 28
"""Days whose sampling errors say how far apart two counts of the same conversation lie."""


@dataclass(frozen=True, slots=True)
class ForecastService:
    """Forecasts from the ``history_days`` days before a moment.

    Fewer than ``minimum_days`` observed are refused, and so is data whose last day is more than ``maximum_age_days``
    older than the last whole day before the moment.
    """

    indexes: IndexService
    predictions: PredictionRepository
    forecaster: asyncio.Task[Forecaster]
    in_thread: InThread
    minimum_days: int
    history_days: int
    maximum_age_days: int

    async def predict(self, entity: str, as_of: datetime | None, horizon: int, level: float) -> Prediction:
        """Forecast ``horizon`` days and store the forecast; the same question on the same data has the same id.

        Raises ``EntityNotFound``, ``TooFewDays``, ``DataTooOld``, ``Unavailable`` while the library loads,
        ``PeerError`` without twitter-service and ``DatabaseUnavailable`` without PostgreSQL.
        """
        index = await self.indexes.index(entity, as_of, self.history_days)
        if index.days_observed < self.minimum_days:
            raise TooFewDays(entity=entity, observed=index.days_observed, needed=self.minimum_days)
        if index.age_days > self.maximum_age_days:
            last, days = index.last_observed, index.age_days
            raise DataTooOld(entity=entity, last_observed=str(last), age_days=days, bound_days=self.maximum_age_days)
        forecast = await self._forecast(index, horizon, level)
        prediction = _prediction(index, forecast, horizon, level)
        await self.predictions.save(prediction)
        return prediction

    async def prediction(self, prediction_id: str) -> Prediction:
        """Return a forecast that was made; raises ``PredictionNotFound``."""
        found = await self.predictions.prediction(prediction_id)
        if found is None:
            raise PredictionNotFound(prediction_id=prediction_id)
        return found

    async def _forecast(self, index: EntityIndex, horizon: int, level: float) -> Forecast:
        if not self.forecaster.done():
            raise Unavailable(reason="the forecasting library is still loading", retry_after_seconds=5)
        with SECONDS.time():
            values = [day.icce for day in index.days]
            forecast = await self.in_thread(
                self.forecaster.result().forecast, values, horizon, level, _sampling_half_width(index, level)
            )
        PREDICTIONS.labels(forecast.method).inc()
        if forecast.skill is not None:
            SKILL.observe(forecast.skill)
        return forecast


def _sampling_half_width(index: EntityIndex, level: float) -> float:
    """Return how far, in points, a day's ICCE lies from the truth for want of tweets alone, with probability ``level``.

    No interval is narrower: a series that never moved was still counted from few tweets.
    """
    errors = [day.sampling_error for day in index.days if day.sampling_error is not None]
    return statistics.NormalDist().inv_cdf((1 + level) / 2) * statistics.median(errors[-RECENT_DAYS:])


def _prediction(index: EntityIndex, forecast: Forecast, horizon: int, level: float) -> Prediction:
    latest, last = latest_icce(index.days), index.last_observed
    assert latest is not None and last is not None, "there are minimum_days observed days"  # noqa: PT018
    return Prediction(
        id=_identifier(index, horizon, level),
        entity=index.entity,
        as_of=index.as_of,
        icce=round(latest, 4),
        days_observed=index.days_observed,
        method=forecast.method,
        skill=forecast.skill,
        level=level,
        points=_points(last, forecast),
        last_observed=last,
        data_age_days=index.age_days,
        coverage=forecast.coverage,
    )


def _points(last: date, forecast: Forecast) -> list[PredictedDay]:
    rows = zip(forecast.values, forecast.lows, forecast.highs, strict=True)
    return [
        PredictedDay(last + timedelta(days=ahead), round(value, 3), round(low, 3), round(high, 3))
        for ahead, (value, low, high) in enumerate(rows, start=1)
    ]


def _identifier(index: EntityIndex, horizon: int, level: float) -> str:
    values = [(day.day, day.icce) for day in index.days]
    asked = f"{ALGORITHM}|{index.entity}|{normal_time(index.as_of)}|{horizon}|{level}|{values}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]

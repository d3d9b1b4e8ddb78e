"""Forecasts of a daily series that the caller posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forecast_service.errors import NoVariation, SeriesTooOld, TooFewValues, UnusableSeries
from forecast_service.forecasts.model import DailySeries, Note, SeriesForecast
from forecast_service.forecasts.options import Options
from forecast_service.forecasts.pool import ForecastPool
from forecast_service.forecasts.service import points_after
from forecast_service.indexes.calendar import last_whole_day, moment_of

MAXIMUM_SPAN_DAYS = 4000
Bounds = tuple[float, float] | None
Values = dict[date, float]


@dataclass(frozen=True, slots=True)
class PostedSeries:
    """Days in any order with their values, the moment that they are seen from (now by default), and their bounds."""

    days: Sequence[tuple[date, float | None]]
    as_of: datetime | None
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class PostedForecasts:
    """Forecasts posted series under the rules of an entity's: ``minimum_days`` values, at most so old."""

    pool: ForecastPool
    minimum_days: int
    maximum_age_days: int

    def read(self, posted: PostedSeries) -> DailySeries:
        """Return the series of the days before ``as_of``; days that are left out or None are gaps.

        Raises ``UnusableSeries``, ``TooFewValues``, ``NoVariation`` or ``SeriesTooOld``.
        """
        until = _last_day(posted)
        values = _checked([(day, value) for day, value in posted.days if day <= until], posted.bounds)
        self._check(values, until)
        first, last = min(values), max(values)
        span = [first + timedelta(days=place) for place in range((last - first).days + 1)]
        return DailySeries(first, tuple(values.get(day) for day in span), posted.bounds)

    async def forecast(self, posted: PostedSeries, options: Options) -> SeriesForecast:
        """Forecast a posted series; raises what ``read`` raises, and ``Unavailable``."""
        series = self.read(posted)
        forecast = await self.pool.forecast(series.question(options))
        age = (_last_day(posted) - series.last).days
        observed = sum(value is not None for value in series.values)
        stale: list[Note] = ["stale"] if age else []
        return SeriesForecast(
            method=forecast.method,
            skill=forecast.skill,
            coverage=forecast.coverage,
            weights=forecast.weights,
            level=options.level,
            days_observed=observed,
            days_missing=len(series.values) - observed,
            last_observed=series.last,
            data_age_days=age,
            notes=[*forecast.notes(options.level), *stale],
            points=points_after(series.last, forecast, digits=12),
        )

    def _check(self, values: Values, until: date) -> None:
        if len(values) < self.minimum_days:
            raise TooFewValues(observed=len(values), needed=self.minimum_days, until=str(until))
        if len(set(values.values())) == 1:
            raise NoVariation(value=next(iter(values.values())), days=len(values))
        age = (until - max(values)).days
        if age > self.maximum_age_days:
            raise SeriesTooOld(last_observed=str(max(values)), age_days=age, bound_days=self.maximum_age_days)


def _last_day(posted: PostedSeries) -> date:
    return last_whole_day(moment_of(posted.as_of))


def _checked(days: Sequence[tuple[date, float | None]], bounds: Bounds) -> Values:
    """Return the known values by day; raises ``UnusableSeries``."""
    twice = [day for day, times in Counter(day for day, _ in days).items() if times > 1]
    if twice:
        raise UnusableSeries(reason=f"{min(twice)} stands more than once; give one value a day")
    values = {day: value for day, value in days if value is not None}
    outside = [day for day, value in values.items() if bounds and not bounds[0] <= value <= bounds[1]]
    if outside:
        raise UnusableSeries(reason=f"the value of {min(outside)} lies outside the bounds")
    if values and (max(values) - min(values)).days >= MAXIMUM_SPAN_DAYS:
        raise UnusableSeries(reason=f"the series spans more than {MAXIMUM_SPAN_DAYS} days")
    return values

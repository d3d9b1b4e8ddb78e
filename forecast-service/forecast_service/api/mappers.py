"""From records to wire models."""

from __future__ import annotations

from forecast_service.api.schemas.indexes import DayValue, Series
from forecast_service.indexes.icce import latest_icce, trend
from forecast_service.indexes.model import EntityIndex, IndexDay


def series_of(index: EntityIndex) -> Series:
    """Return an index as it is answered, values rounded to four decimals."""
    return Series(
        entity=index.entity,
        as_of=index.as_of,
        icce=_rounded(latest_icce(index.days)),
        trend=trend(index.days),
        days_observed=index.days_observed,
        items=[_day_value(day) for day in index.days],
    )


def _day_value(day: IndexDay) -> DayValue:
    return DayValue(
        date=day.day,
        tweets=day.tweets,
        gap=day.is_gap,
        icce=_rounded(day.icce),
        isn=_rounded(day.isn),
        icr=_rounded(day.icr),
        smoothed=_rounded(day.smoothed),
        momentum=_rounded(day.momentum),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

"""The capability: an entity's index as of a moment, and its forecast."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from castor_chassis import Unavailable, normal_time
from forecast_service.clients.twitter import TwitterClient
from forecast_service.errors import PredictionNotFound, TooFewDays
from forecast_service.forecasts.forecaster import Forecast, Forecaster
from forecast_service.forecasts.repository import PredictionStore
from forecast_service.indexes.icce import Day, index, last_value, trend
from forecast_service.metrics import PREDICTIONS, SECONDS, SKILL
from forecast_service.settings import ForecastSettings

BOGOTA = ZoneInfo("America/Bogota")
InThread = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Outlook:
    """Joins counts, index, forecaster and store."""

    twitter: TwitterClient
    store: PredictionStore
    forecaster: asyncio.Task[Forecaster]
    in_thread: InThread
    settings: ForecastSettings

    async def series(self, entity: str, as_of: datetime | None, days_back: int) -> dict[str, Any]:
        """Return the index of the ``days_back`` days before ``as_of``; days before the first tweet are left out."""
        moment = as_of or datetime.now(UTC)
        days = await self._days(entity, moment, days_back)
        return {
            "entity": entity,
            "as_of": moment,
            "icce": _rounded(last_value(days)),
            "trend": trend(days),
            "days_observed": _observed(days),
            "items": [_day(day) for day in days],
        }

    async def predict(self, entity: str, as_of: datetime | None, horizon: int, level: float) -> dict[str, Any]:
        """Forecast an entity and keep the forecast; the same question on the same data has the same id."""
        moment = as_of or datetime.now(UTC)
        days = await self._days(entity, moment, self.settings.history_days)
        observed, needed = _observed(days), self.settings.minimum_days
        if observed < needed:
            raise TooFewDays(entity=entity, observed=observed, needed=needed)
        made = await self._forecast([day.icce for day in days], horizon, level)
        prediction_id = _identifier(entity, moment, horizon, level, days)
        prediction: dict[str, Any] = {
            "id": prediction_id,
            "entity": entity,
            "as_of": normal_time(moment),
            "icce": _rounded(last_value(days)),
            "days_observed": observed,
            "method": made.method,
            "skill": made.skill,
            "level": level,
            "points": _points(_last_observed(days), made),
        }
        await self.store.save(prediction_id, entity, moment, prediction)
        return prediction

    async def prediction(self, prediction_id: str) -> dict[str, Any]:
        """Return a forecast that was made."""
        found = await self.store.prediction(prediction_id)
        if found is None:
            raise PredictionNotFound(prediction_id=prediction_id)
        return found

    async def _days(self, entity: str, as_of: datetime, days_back: int) -> list[Day]:
        # The day that as_of lies in is not over: half a day's shares would be compared with whole ones.
        until = _last_whole_day(as_of)
        since = until - timedelta(days=days_back - 1)
        counts = await self.twitter.daily_counts(entity, since, until, as_of)
        begun = next((place for place, count in enumerate(counts) if count.total_tweets), len(counts))
        return index(counts[begun:], alpha=self.settings.alpha, smoothing=self.settings.smoothing)

    async def _forecast(self, values: Sequence[float | None], horizon: int, level: float) -> Forecast:
        if not self.forecaster.done():
            raise Unavailable(reason="the forecasting library is still loading", retry_after_seconds=5)
        with SECONDS.time():
            made: Forecast = await self.in_thread(self.forecaster.result().forecast, values, horizon, level)
        PREDICTIONS.labels(made.method).inc()
        if made.skill is not None:
            SKILL.observe(made.skill)
        return made


def _last_whole_day(as_of: datetime) -> date:
    return as_of.astimezone(BOGOTA).date() - timedelta(days=1)


def _observed(days: Sequence[Day]) -> int:
    return sum(day.icce is not None for day in days)


def _last_observed(days: Sequence[Day]) -> date:
    return max(day.day for day in days if day.icce is not None)


def _day(day: Day) -> dict[str, Any]:
    parts = {name: _rounded(getattr(day, name)) for name in ("icce", "isn", "icr", "smoothed", "momentum")}
    return {"date": day.day, "tweets": day.tweets, "gap": day.icce is None, **parts}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _points(last: date, made: Forecast) -> list[dict[str, Any]]:
    rows = zip(made.values, made.lows, made.highs, strict=True)
    return [
        {
            "date": (last + timedelta(days=step)).isoformat(),
            "value": round(value, 3),
            "low": round(low, 3),
            "high": round(high, 3),
        }
        for step, (value, low, high) in enumerate(rows, start=1)
    ]


def _identifier(entity: str, as_of: datetime, horizon: int, level: float, days: Sequence[Day]) -> str:
    asked = f"{entity}|{normal_time(as_of)}|{horizon}|{level}|{[(day.day, day.icce) for day in days]}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]

"""Forecasts of an entity's ICCE: made, stored, read back, compared."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from forecast_service.errors import DataTooOld, PredictionNotFound, TooFewDays
from forecast_service.forecasts.model import Comparison, DailySeries, Forecast, Made, Note, PredictedDay, Prediction
from forecast_service.forecasts.options import Options
from forecast_service.forecasts.pool import ForecastPool
from forecast_service.forecasts.repository import PredictionRepository
from forecast_service.indexes.calendar import end_of
from forecast_service.indexes.icce import latest_icce
from forecast_service.indexes.model import EntityIndex
from forecast_service.indexes.service import IndexService

ALGORITHM = 7
"""Part of the id: what another algorithm made of the same question is another forecast."""
KEPT_DAYS = 365
"""How long a forecast can be read after it was made."""


@dataclass(frozen=True, slots=True)
class ForecastService:
    """Forecasts from the ``history_days`` days before a moment.

    Fewer than ``minimum_days`` observed are refused, and so is data whose last day is more than ``maximum_age_days``
    older than the last whole day before the moment.
    """

    indexes: IndexService
    predictions: PredictionRepository
    pool: ForecastPool
    minimum_days: int
    history_days: int
    maximum_age_days: int

    async def predict(
        self, entity: str, as_of: datetime | None, options: Options, dataset: str | None = None
    ) -> Prediction:
        """Forecast and store the forecast; the same question on the same data is the forecast that was made first.

        Without ``as_of`` all moments of a day ask the same question. What the default method forecasts is told by an
        analysis, what a method that somebody chose does is not. Raises what ``forecast`` raises, and
        ``DatabaseUnavailable`` without PostgreSQL.
        """
        prediction = await self.forecast(entity, as_of, options, dataset)
        return await self.predictions.save(prediction, is_told=options.method == "auto")

    async def forecast(
        self, entity: str, as_of: datetime | None, options: Options, dataset: str | None = None
    ) -> Prediction:
        """Forecast an entity's ICCE without storing it; raises what ``made`` raises."""
        return (await self.made(entity, as_of, options, dataset)).prediction

    async def made(self, entity: str, as_of: datetime | None, options: Options, dataset: str | None = None) -> Made:
        """Forecast an entity's ICCE, and return it with the index.

        Raises ``EntityNotFound``, ``DatasetNotFound``, ``TooFewDays``, ``DataTooOld``, ``Unavailable`` while too many
        forecasts are being made, and ``PeerError`` without twitter-service.
        """
        index = await self.index(entity, as_of, dataset)
        forecast = await self.pool.forecast(series_of(index, options.level).question(options))
        return Made(index, _prediction(index, forecast, options, as_of))

    async def index(self, entity: str, as_of: datetime | None, dataset: str | None = None) -> EntityIndex:
        """Return an entity's index where a forecast from it is honest; raises ``TooFewDays``, ``DataTooOld`` or as
        ``made``.
        """
        index = await self.indexes.index(entity, as_of, self.history_days, dataset)
        self._check(index)
        return index

    async def compare(
        self, entities: Sequence[str], as_of: datetime | None, options: Options, dataset: str | None = None
    ) -> Comparison:
        """Forecast several entities as of one moment and on one base, the tweets of all; what is refused is named.

        Raises ``EntityNotFound``, ``Unavailable`` and ``PeerError`` as ``forecast`` does.
        """
        moment = as_of or datetime.now(UTC)
        made = await asyncio.gather(*(self._forecast_or_code(entity, moment, options, dataset) for entity in entities))
        refused = {entity: one for entity, one in zip(entities, made, strict=True) if isinstance(one, str)}
        return Comparison(moment, [one for one in made if isinstance(one, Made)], refused)

    async def prediction(self, prediction_id: str) -> Prediction:
        """Return a forecast that was made; raises ``PredictionNotFound``."""
        found = await self.predictions.prediction(prediction_id)
        if found is None:
            raise PredictionNotFound(prediction_id=prediction_id)
        return found

    async def _forecast_or_code(
        self, entity: str, as_of: datetime, options: Options, dataset: str | None
    ) -> Made | str:
        try:
            return await self.made(entity, as_of, options, dataset)
        except (TooFewDays, DataTooOld) as error:
            return error.code

    def _check(self, index: EntityIndex) -> None:
        """Raise ``TooFewDays`` or ``DataTooOld`` where a forecast would not be honest."""
        if index.days_observed < self.minimum_days:
            raise TooFewDays(entity=index.entity, observed=index.days_observed, needed=self.minimum_days)
        check_age(index, self.maximum_age_days)


def check_age(index: EntityIndex, maximum_age_days: int) -> None:
    """Raise ``DataTooOld`` where the last observed day is more than so many days older than the last whole day."""
    if index.age_days > maximum_age_days:
        raise DataTooOld(
            entity=index.entity,
            last_observed=str(index.last_observed),
            age_days=index.age_days,
            bound_days=maximum_age_days,
        )


def series_of(index: EntityIndex, level: float) -> DailySeries:
    """Return the series of an index that a forecast with intervals of ``level`` is made from."""
    values = tuple(day.icce for day in index.days)
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    half_widths = tuple(None if day.sampling_error is None else z * day.sampling_error for day in index.days)
    return DailySeries(index.days[0].day, values, (0.0, 100.0), half_widths)


def _prediction(index: EntityIndex, forecast: Forecast, options: Options, as_of: datetime | None) -> Prediction:
    latest, last = latest_icce(index.days), index.last_observed
    assert latest is not None and last is not None, "there are minimum_days observed days"  # noqa: PT018
    stale: list[Note] = ["stale"] if index.age_days else []
    return Prediction(
        id=_identifier(index, options, as_of),
        entity=index.entity,
        dataset=index.dataset,
        as_of=index.as_of,
        icce=round(latest, 4),
        days_observed=index.days_observed,
        method=forecast.method,
        skill=forecast.skill,
        level=options.level,
        points=points_after(last, forecast),
        last_observed=last,
        data_age_days=index.age_days,
        coverage=forecast.coverage,
        weights=forecast.weights,
        notes=[*forecast.notes(options.level), *stale, "conversation_is_not_votes"],
    )


def points_after(last: date, forecast: Forecast, digits: int = 3) -> list[PredictedDay]:
    """Return the forecast by date, from the day after ``last`` on, rounded to ``digits`` decimals."""
    rows = zip(forecast.values, forecast.lows, forecast.highs, strict=True)
    return [
        PredictedDay(last + timedelta(days=ahead), round(value, digits), round(low, digits), round(high, digits))
        for ahead, (value, low, high) in enumerate(rows, start=1)
    ]


def _identifier(index: EntityIndex, options: Options, as_of: datetime | None) -> str:
    values = [(day.day, day.icce) for day in index.days]
    within = f"|{index.dataset}" if index.dataset else ""
    # Stored forecasts are found again by this form of the moment, which answers no longer have.
    moment = end_of(index.until) if as_of is None else index.as_of
    exactness = "milliseconds" if moment.microsecond else "seconds"
    written = moment.astimezone(UTC).isoformat(timespec=exactness).replace("+00:00", "Z")
    asked = f"{ALGORITHM}|{index.entity}{within}|{written}|{options}|{values}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]

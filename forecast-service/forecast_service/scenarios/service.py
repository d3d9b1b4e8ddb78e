"""Scenarios of an entity: its drivers as of a moment, shifted and simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from forecast_service.errors import TooFewDays, TooFewEvents
from forecast_service.forecasts.options import Options
from forecast_service.forecasts.service import check_age
from forecast_service.indexes.icce import latest_icce
from forecast_service.indexes.model import EntityIndex
from forecast_service.indexes.service import IndexService
from forecast_service.processes import Processes
from forecast_service.scenarios.model import (
    Drivers,
    EventKind,
    Note,
    Scenario,
    ScenarioQuestion,
    Shift,
    Simulated,
)
from forecast_service.scenarios.predecessor import predecessor_rule
from forecast_service.scenarios.simulation import MINIMUM_DAYS, simulate, usable_days

FEWEST_EVENTS = 3


@dataclass(frozen=True, slots=True)
class Supposed:
    """What a caller supposes: a shift of ISN, of the share of tweets, for how many days, and past days of an event."""

    sentiment_shift: float
    volume_change: float
    days: int
    event: EventKind
    event_days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class ScenarioService:
    """Simulates in ``processes`` from the ``history_days`` days before a moment, data at most so many days old."""

    indexes: IndexService
    processes: Processes
    history_days: int
    maximum_age_days: int

    async def simulate(
        self, entity: str, as_of: datetime | None, supposed: Supposed, options: Options, dataset: str | None
    ) -> Scenario:
        """Return what a shift would do to an entity's ICCE.

        Raises ``EntityNotFound``, ``DatasetNotFound``, ``TooFewDays``, ``DataTooOld``, ``TooFewEvents``,
        ``Unavailable`` and ``PeerError``.
        """
        index = await self.indexes.index(entity, as_of, self.history_days, dataset)
        drivers = self._drivers(index)
        places = _event_places(index, supposed.event_days, usable_days(drivers)[1:])
        shift = Shift(supposed.sentiment_shift, supposed.volume_change, supposed.days, places)
        asked = ScenarioQuestion(drivers, shift, self.indexes.alpha, options.horizon_days, options.level)
        simulated = await self.processes.run(simulate, asked)
        return _scenario(index, simulated, supposed, options)

    def _drivers(self, index: EntityIndex) -> Drivers:
        """Return the drivers of the index; raises ``TooFewDays`` or ``DataTooOld``."""
        if not index.days_observed:
            raise TooFewDays(entity=index.entity, observed=0, needed=MINIMUM_DAYS)
        check_age(index, self.maximum_age_days)
        days = index.days
        drivers = Drivers(
            tuple(day.isn for day in days),
            tuple(day.icr for day in days),
            tuple(day.tweets for day in days),
            days[0].day.weekday(),
        )
        trained = len(usable_days(drivers))
        if trained < MINIMUM_DAYS:
            raise TooFewDays(entity=index.entity, observed=trained, needed=MINIMUM_DAYS)
        return drivers


def _event_places(index: EntityIndex, event_days: Sequence[date], usable: range) -> tuple[int, ...]:
    """Return the places of the events in the index; raises ``TooFewEvents`` where some are given and too few usable."""
    observed = {index.days[place].day: place for place in usable if index.days[place].icce is not None}
    places = tuple(observed[day] for day in sorted(set(event_days)) if day in observed)
    if event_days and len(places) < FEWEST_EVENTS:
        raise TooFewEvents(observed=len(places), needed=FEWEST_EVENTS, since=str(index.days[usable[0]].day))
    return places


def _scenario(index: EntityIndex, simulated: Simulated, supposed: Supposed, options: Options) -> Scenario:
    icce, last = latest_icce(index.days), index.last_observed
    assert icce is not None and last is not None, "there are observed days"  # noqa: PT018
    cut: list[Note] = ["shift_was_cut"] if simulated.shift_was_cut else []
    return Scenario(
        entity=index.entity,
        dataset=index.dataset,
        as_of=index.as_of,
        icce=icce,
        last_observed=last,
        data_age_days=index.age_days,
        level=options.level,
        simulated=simulated,
        predecessor=predecessor_rule(icce, supposed.event, supposed.sentiment_shift),
        notes=[*cut, "assumption_not_forecast", "conversation_is_not_votes"],
    )

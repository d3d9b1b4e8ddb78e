"""Records of scenarios. Values are in points from 0 to 100, effects are changes in points."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

EventKind = Literal["announcement", "debate", "crisis", "positive_news", "other"]
Note = Literal["assumption_not_forecast", "conversation_is_not_votes", "shift_was_cut"]


@dataclass(frozen=True, slots=True)
class Drivers:
    """What moves ICCE, by consecutive days, oldest first, None in gaps: ISN in [-1, 1] and ICR in [0, 1]."""

    isn: tuple[float | None, ...]
    icr: tuple[float | None, ...]
    tweets: tuple[int, ...]
    first_weekday: int


@dataclass(frozen=True, slots=True)
class Shift:
    """What is supposed to happen, for ``days`` days from the first forecast day on.

    ``sentiment`` is added to ISN, tweets about the entity are multiplied by 1 + ``volume``, and ``event_places`` are
    days of the drivers on which an event of the kind happened: one of their surprises is drawn.
    """

    sentiment: float = 0.0
    volume: float = 0.0
    days: int = 1
    event_places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioQuestion:
    """A shift of drivers, the weight ``alpha`` of sentiment in ICCE, days ahead and the level of the intervals."""

    drivers: Drivers
    shift: Shift
    alpha: float
    horizon: int
    level: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ScenarioDay:
    """Without the shift, with it, and the difference of the two."""

    baseline: Spread
    scenario: Spread
    effect: Spread


@dataclass(frozen=True, slots=True)
class Simulated:
    """Days ahead; ``half_life_days`` is the time in which an effect halves, None where it does not fade."""

    days: tuple[ScenarioDay, ...]
    half_life_days: float | None
    trained_days: int
    shift_was_cut: bool


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What the platform that CASTOR replaces made of the same: a multiplier of the last value."""

    multiplier: float
    impact: float
    simulated: float
    impact_percent: float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A simulated scenario of an entity as of a moment."""

    entity: str
    dataset: str | None
    as_of: dt.datetime
    icce: float
    last_observed: dt.date
    data_age_days: int
    level: float
    simulated: Simulated
    predecessor: Predecessor
    notes: list[Note]

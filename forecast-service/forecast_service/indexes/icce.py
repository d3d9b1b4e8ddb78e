"""ICCE, the index of electoral conversation (Índice Compuesto de Conversación Electoral), from daily counts.

For a day: P and N are the shares of positive and negative among the entity's scored tweets, ISN = P - N in
[-1, 1], ICR = tweets of the entity / tweets of all in [0, 1], and ICCE = alpha (ISN + 1) / 2 + (1 - alpha) ICR,
here times 100. On a day on which others were heard and the entity was not, ISN and ICR are 0. A day without any
tweet, or without any score, is a gap: nothing is invented for it.
Smoothing is S_t = lambda x_t + (1 - lambda) S_(t-1) over observed days; momentum is S_t - S_(t-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

STABLE_WITHIN_POINTS = 1.0


@dataclass(frozen=True, slots=True)
class DayCount:
    """What was counted on one day."""

    day: date
    tweets: int
    scored: int
    positive: int
    negative: int
    total_tweets: int


@dataclass(frozen=True, slots=True)
class Day:
    """The index of one day, in points; None where nothing was observed."""

    day: date
    tweets: int
    icce: float | None = None
    isn: float | None = None
    icr: float | None = None
    smoothed: float | None = None
    momentum: float | None = None


def index(counts: Sequence[DayCount], *, alpha: float = 0.5, smoothing: float = 0.3) -> list[Day]:
    """Return the index of consecutive days, oldest first."""
    days: list[Day] = []
    level: float | None = None
    for count in counts:
        parts = _parts(count)
        if parts is None:
            days.append(Day(count.day, count.tweets))
            continue
        isn, icr = parts
        icce = 100 * (alpha * (isn + 1) / 2 + (1 - alpha) * icr)
        before, level = level, icce if level is None else smoothing * icce + (1 - smoothing) * level
        momentum = None if before is None else level - before
        days.append(Day(count.day, count.tweets, icce, isn, icr, level, momentum))
    return days


def _parts(count: DayCount) -> tuple[float, float] | None:
    """Return (ISN, ICR) of a day, or None when it is a gap."""
    if count.total_tweets == 0 or (count.tweets > 0 and count.scored == 0):
        return None
    isn = (count.positive - count.negative) / count.scored if count.scored else 0.0
    return isn, count.tweets / count.total_tweets


def trend(days: Sequence[Day]) -> str:
    """Return up, down or stable by the momentum of the last observed day."""
    momenta = [day.momentum for day in days if day.momentum is not None]
    if not momenta or abs(momenta[-1]) <= STABLE_WITHIN_POINTS:
        return "stable"
    return "up" if momenta[-1] > 0 else "down"


def last_value(days: Sequence[Day]) -> float | None:
    """Return the ICCE of the last observed day, or None."""
    return next((day.icce for day in reversed(days) if day.icce is not None), None)

"""ICCE, the index of electoral conversation (Índice Compuesto de Conversación Electoral), from daily counts.

For a day: P and N are the shares of positive and negative among the entity's scored tweets, ISN = P - N in
[-1, 1], ICR = tweets of the entity / tweets of all in [0, 1], and ICCE = alpha (ISN + 1) / 2 + (1 - alpha) ICR,
here times 100. On a day with tweets of others but none of the entity, ISN and ICR are 0. A day without any tweet,
or on which no tweet of the entity is scored, is a gap: it has no value, and none is interpolated.
Smoothing is S_t = lambda x_t + (1 - lambda) S_(t-1) over observed days; momentum is S_t - S_(t-1).
"""

from __future__ import annotations

from collections.abc import Sequence

from forecast_service.indexes.model import DayCount, IndexDay
from forecast_service.indexes.sampling import icce_error

STABLE_WITHIN_POINTS = 1.0


def icce_by_day(counts: Sequence[DayCount], *, alpha: float = 0.5, smoothing: float = 0.3) -> list[IndexDay]:
    """Return the index of consecutive days, oldest first.

    ``alpha`` in [0, 1] is the weight of sentiment against share of conversation; ``smoothing`` in (0, 1] is lambda.
    """
    days: list[IndexDay] = []
    level: float | None = None
    for count in counts:
        parts = _isn_and_icr(count)
        if parts is None:
            days.append(IndexDay(count.day, count.tweets))
            continue
        isn, icr = parts
        icce = 100 * (alpha * (isn + 1) / 2 + (1 - alpha) * icr)
        before, level = level, icce if level is None else smoothing * icce + (1 - smoothing) * level
        momentum = None if before is None else level - before
        days.append(IndexDay(count.day, count.tweets, icce, isn, icr, level, momentum, icce_error(count, alpha)))
    return days


def _isn_and_icr(count: DayCount) -> tuple[float, float] | None:
    """Return (ISN, ICR) of a day, or None when it is a gap."""
    if count.total_tweets == 0 or (count.tweets > 0 and count.scored == 0):
        return None
    isn = (count.positive - count.negative) / count.scored if count.scored else 0.0
    return isn, count.tweets / count.total_tweets


def trend(days: Sequence[IndexDay]) -> str:
    """Return up, down or stable by the momentum of the last observed day."""
    momenta = [day.momentum for day in days if day.momentum is not None]
    if not momenta or abs(momenta[-1]) <= STABLE_WITHIN_POINTS:
        return "stable"
    return "up" if momenta[-1] > 0 else "down"


def latest_icce(days: Sequence[IndexDay]) -> float | None:
    """Return the ICCE of the last observed day, or None."""
    return next((day.icce for day in reversed(days) if day.icce is not None), None)

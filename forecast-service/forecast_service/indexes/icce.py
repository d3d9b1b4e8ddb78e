"""ICCE, the index of electoral conversation (Índice Compuesto de Conversación Electoral), from daily counts.

For a day: P and N are the shares of positive and negative among the entity's scored tweets, ISN = P - N in
[-1, 1], ISN' = (ISN + 1) / 2, ICR = tweets of the entity / tweets of all in [0, 1], and
ICCE = alpha ISN' + (1 - alpha) ICR, here times 100, in points. The formulas are those of the platform that CASTOR
replaces, where alpha is 0.5; no source justifies that weight, so ``icce_at`` gives the value for any other.

A day without any tweet of anybody, or on which no tweet of the entity is scored, is a gap: it has no value, and none
is interpolated. A day with tweets of others but none of the entity is silent: its ICR is 0, its ISN is unknown, and so
it has no ICCE (with an ISN of 0 it would be 25 points, as if people had spoken neutrally).

Smoothing is S_t = lambda x_t + (1 - lambda) S_(t-1) over the days that have an index, lambda 0.3; momentum is
MEC_t = S_t - S_(t-1), up above one point, down below minus one, else stable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot
from typing import Literal

from forecast_service.indexes.model import DayCount, IndexDay
from forecast_service.indexes.sampling import icce_error

Trend = Literal["up", "down", "stable"]
STABLE_WITHIN_POINTS = 1.0
OTHER_ALPHAS = (0.25, 0.75)
"""Weights for which the index is shown beside the configured one."""


def icce_by_day(counts: Sequence[DayCount], *, alpha: float = 0.5, smoothing: float = 0.3) -> list[IndexDay]:
    """Return the index of consecutive days, oldest first.

    ``alpha`` in [0, 1] is the weight of sentiment against share of conversation; ``smoothing`` in (0, 1] is lambda.
    """
    days: list[IndexDay] = []
    before: IndexDay | None = None
    for count in counts:
        day = _judged(_index_day(count, alpha, smoothing, before), count)
        before = before if day.icce is None else day
        days.append(day)
    return days


def _index_day(count: DayCount, alpha: float, smoothing: float, before: IndexDay | None) -> IndexDay:
    if count.total_tweets == 0 or (count.tweets > 0 and count.scored == 0):
        return IndexDay(count.day, count.tweets)
    if count.tweets == 0:
        return IndexDay(count.day, 0, icr=0.0)
    isn, icr = (count.positive - count.negative) / count.scored, count.tweets / count.total_tweets
    icce, error = icce_at(isn, icr, alpha), icce_error(count, alpha)
    if before is None or before.smoothed is None or before.smoothed_error is None:
        return IndexDay(count.day, count.tweets, icce, isn, icr, icce, None, error, error)
    momentum = smoothing * (icce - before.smoothed)
    return IndexDay(
        count.day,
        count.tweets,
        icce,
        isn,
        icr,
        smoothed=before.smoothed + momentum,
        momentum=momentum,
        sampling_error=error,
        smoothed_error=hypot(smoothing * error, (1 - smoothing) * before.smoothed_error),
        momentum_error=smoothing * hypot(error, before.smoothed_error),
    )


def icce_of_span(counts: Sequence[DayCount], *, alpha: float = 0.5) -> IndexDay | None:
    """Return the index of all tweets of the days together, dated by the last of them; None without any day.

    A day of three tweets weighs three tweets in it, where a mean of daily values would give it the weight of a day of
    three hundred. A gap adds nothing.
    """
    if not counts:
        return None
    totals = [(c.tweets, c.scored, c.positive, c.negative, c.total_tweets, c.targeted) for c in counts]
    together = DayCount(counts[-1].day, *map(sum, zip(*totals, strict=True)))
    return _judged(_index_day(together, alpha, 1.0, None), together)


def _judged(day: IndexDay, count: DayCount) -> IndexDay:
    return replace(day, judged_towards=count.targeted, judged_by_text=count.scored - count.targeted)


def icce_at(isn: float, icr: float, alpha: float) -> float:
    """Return ICCE in points from 0 to 100 with the weight ``alpha``."""
    return 100 * (alpha * (isn + 1) / 2 + (1 - alpha) * icr)


def trend(days: Sequence[IndexDay]) -> Trend:
    """Return up, down or stable by the momentum of the last day that has one."""
    return direction(next((day.momentum for day in reversed(days) if day.momentum is not None), 0.0))


def direction(momentum: float) -> Trend:
    """Return up or down for a change of more than one point, else stable."""
    if abs(momentum) <= STABLE_WITHIN_POINTS:
        return "stable"
    return "up" if momentum > 0 else "down"


def latest_icce(days: Sequence[IndexDay]) -> float | None:
    """Return the ICCE of the last observed day, or None."""
    return next((day.icce for day in reversed(days) if day.icce is not None), None)

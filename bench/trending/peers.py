"""Other detectors, asked the same questions: Gnip's Poisson model, Kleinberg's bursts, a z-score.

Each gets the tweets of a term in the last hour, up to the moment of the question, and its hourly counts of the weeks
before. ``scores`` are compared with a threshold that is chosen on the development streams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.trending.memory import Question

HOUR = 3600
LEAST_TWEETS = 3
KLEINBERG_HOURS = 72
Hours = NDArray[np.float64]
Score = Callable[[Hours, Hours, float, float], float]
"""From (hours of the term, hours of the stream, tweets of the term and of the stream in the last hour)."""


def scores(question: Question, score: Score) -> dict[str, float]:
    """Return the score of each term with at least ``LEAST_TWEETS`` tweets in the last hour."""
    recent = question.window.ages < HOUR
    stream = question.counts.stream.astype(float)
    found = {}
    for term, rows in question.terms.items():
        tweets = int(recent[rows].sum())
        if tweets >= LEAST_TWEETS:
            found[term] = score(_hours(question, term), stream, tweets, float(recent.sum()))
    return found


def above(found: Mapping[str, float], threshold: float) -> dict[str, float]:
    """Return the scores above a threshold, those of a detector with it."""
    return {term: score for term, score in found.items() if score > threshold}


def _hours(question: Question, term: str) -> Hours:
    hours = np.zeros(len(question.counts.stream))
    used, tweets = question.counts.terms.get(term, ((), ()))
    hours[np.asarray(used, dtype=np.int64) - question.counts.first_hour] = tweets
    return hours


def z_score(hours: Hours, stream: Hours, tweets: float, total: float) -> float:
    """Standard deviations above the mean of the hours; at least half a tweet is one deviation."""
    del stream, total
    return float((tweets - hours.mean()) / max(hours.std(), 0.5))


def gnip_poisson(module: Any) -> Score:
    """``gnip-trend-detection``: eta of its Poisson model in the mode that averages by hour of the day."""

    def score(hours: Hours, stream: Hours, tweets: float, total: float) -> float:
        del stream, total
        model = module.Poisson({"alpha": 0.99, "mode": "a", "period_list": "hour"})
        moment = datetime(2022, 1, 1, tzinfo=UTC)
        for count in [*hours[len(hours) % 24 :: 24], tweets]:
            model.update(count=float(count), interval_start_time=moment)
        return float(model.get_result())

    return score


def kleinberg(module: Any) -> Score:
    """``burst-detection``: the gain in cost of the burst that the last hour belongs to, 0 outside of one."""
    # Its own cost uses numpy.float, which is gone, and binomials of mpmath, which take seconds: the same in lgamma.
    # Its states come from numpy.where of a row, which NumPy 2 no longer takes as one number: the first of equal costs.
    module.fit, module.np, tau = _cost, _NumPy(), module.tau
    module.tau = lambda before, after, gamma, n: tau(float(np.ravel(before)[0]), after, gamma, n)

    def score(hours: Hours, stream: Hours, tweets: float, total: float) -> float:
        used = np.append(hours[-KLEINBERG_HOURS:], tweets)
        whole = np.maximum(np.append(stream[-KLEINBERG_HOURS:], total), np.maximum(used, 1))
        share = used.sum() / whole.sum()
        if tweets <= share * whole[-1]:
            return 0.0  # The last hour is no more than the mean, so it is in no burst: spares the search for its state.
        states, d, r, p = module.burst_detection(used, whole, len(used), 2.0, 1.0, 1)
        if states[-1, 0] != 1:
            return 0.0
        return float(_cost(d[-1], r[-1], p[0]) - _cost(d[-1], r[-1], p[1]))

    return score


class _NumPy:
    """NumPy, but ``where`` answers one number."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def where(condition: Any) -> int:
        """Return the index of the first element that holds."""
        return int(np.flatnonzero(condition)[0])


def _cost(d: float, r: float, p: float) -> float:
    ways = math.lgamma(d + 1) - math.lgamma(r + 1) - math.lgamma(d - r + 1)
    return -(ways + r * math.log(p) + (d - r) * math.log(1 - p))

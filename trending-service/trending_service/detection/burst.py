"""The statistics of one count: damping by accounts, the upper tail, many tests at once.

Sources: Hendrickson et al., "Trend Detection in Social Data" (Gnip/Twitter, 2015) for testing a count against a
baseline; Gelman et al., "Bayesian Data Analysis", section 2.6, for the negative binomial as a Poisson whose rate is
uncertain; Benjamini and Hochberg (1995) for many tests at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trending_service.signals.counts import Floats

Flags = NDArray[np.bool_]


def counted_tweets(tweets: int, authors: float, crowd: float) -> float:
    """Return ``tweets`` damped by how few accounts wrote them; ``authors`` and ``crowd`` are effective numbers.

    ``n`` tweets drawn from the stream would have about 1 / (1/n + 1/crowd) effective authors. A topic with
    fewer counts in proportion, so ``n`` tweets of one account count as 1 + n / crowd: few in a stream of
    thousands of accounts, many in a stream of four.
    """
    if tweets == 0 or crowd == 0:
        return float(tweets)
    usual = 1 / (1 / tweets + 1 / crowd)
    return tweets * min(1.0, authors / usual)


def log10_tail(count: float, mean: float, size: float) -> float:
    """Return log10 P(X >= count) of a negative binomial with variance mean + mean**2 / size.

    It is the regularised incomplete beta function I_x(count, size) at x = mean / (mean + size), which also
    interpolates between whole counts (Abramowitz and Stegun 26.5.26).
    """
    if count <= 0:
        return 0.0
    x = mean / (mean + size)
    if x < (count + 1) / (count + size + 2):
        return _log_beta_part(count, size, x) / math.log(10)
    rest = math.exp(_log_beta_part(size, count, 1 - x))
    return math.log10(max(1 - rest, 1e-16))


def is_likely(counts: Floats, means: Floats, sizes: Floats, log10_p: Floats) -> Flags:
    """Tell for many counts at once which have ``log10_tail`` above their ``log10_p``; True only where that is sure.

    It is the same continued fraction, on arrays: thousands of terms are done with in a few of its steps.
    """
    x = means / (means + sizes)
    converges = x < (counts + 1) / (counts + sizes + 2)
    a, b, y = counts[converges], sizes[converges], x[converges]
    front = _lgamma(a + b) - _lgamma(a) - _lgamma(b) + a * np.log(y) + b * np.log1p(-y) - np.log(a)
    sure = np.zeros(len(counts), dtype=bool)
    sure[converges] = (front + np.log(_beta_fractions(a, b, y))) / math.log(10) > log10_p[converges]
    return sure


def benjamini_hochberg(log10_p: Sequence[float], rate: float, *, of: int | None = None) -> list[bool]:
    """Return which hypotheses to reject so that at most ``rate`` of the rejected are false, on average.

    ``of`` is the number of all tests, when those with a p-value of about 1 are left out of ``log10_p``.
    """
    tests = len(log10_p) if of is None else of
    order = sorted(range(len(log10_p)), key=log10_p.__getitem__)
    rejected = [False] * len(log10_p)
    kept = 0
    for rank, index in enumerate(order, start=1):
        if log10_p[index] <= math.log10(rate * rank / tests):
            kept = rank
    for index in order[:kept]:
        rejected[index] = True
    return rejected


def _log_beta_part(a: float, b: float, x: float) -> float:
    # ln I_x(a, b) by its continued fraction, which converges fast for x < (a + 1) / (a + b + 2).
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return front - math.log(a) + math.log(_beta_fraction(a, b, x))


_lgamma = np.vectorize(math.lgamma, otypes=[float])


def _beta_fractions(a: Floats, b: Floats, x: Floats) -> Floats:
    c, d = np.ones(len(a)), 1 / (1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            value *= c * d
        if np.all(np.abs(c * d - 1) < 1e-9):
            break
    return value


def _beta_fraction(a: float, b: float, x: float) -> float:
    # Lentz's method (Numerical Recipes 6.4).
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / ((1 + step * d) or tiny)
            c = (1 + step / c) or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value

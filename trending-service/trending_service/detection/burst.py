"""Tests whether a term is used more than its past leads to expect.

The expected count of a term is its share of the stream before the window (the baseline) times the size of the
window, so the rhythm of the whole stream cancels out; a term that the baseline does not hold has a prior share.
The share is multiplied by the lift that the term has in the same hours of the day and of the week, so that
'buenos dias' does not trend every morning; a lift that rests on few tweets is shrunk towards 1. The observed count is
tested against a negative binomial around the expected one: a Poisson whose rate is uncertain because the
baseline is finite, and because the use of a word fluctuates from day to day.

Sources: Hendrickson et al., "Trend Detection in Social Data" (Gnip/Twitter, 2015) for the Poisson test
against a baseline; Gelman et al., "Bayesian Data Analysis", section 2.6, for the Gamma-Poisson predictive;
Benjamini and Hochberg (1995) for many tests at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trending_service.signals.model import Baseline, Observed, Stream

PRIOR_TWEETS = 0.5
"""Tweets that a term is credited with before it is seen for the first time (Jeffreys' prior of a Poisson rate)."""
PRIOR_EXPOSURE = 50.0
"""Size of the stream in which the prior tweets are counted."""
LIFT_PRIOR = 3.0
"""Prior weight of a lift of 1, in tweets: a term's own rhythm counts once it was seen more often than that."""
DISPERSION = 0.15
"""Variance of a term's rate beyond Poisson, relative to its square: use varies by some 40 % from day to day."""


@dataclass(frozen=True, slots=True)
class Burst:
    """``expected`` tweets; ``counted`` tweets after damping; ``score`` = -log10 of the chance of so many."""

    expected: float
    counted: float
    score: float


def expected_tweets(term: Baseline, stream: Stream) -> float:
    """Return how many tweets of the window hold the term if it is used as in the baseline."""
    whole = stream.baseline
    share = (term.total + PRIOR_TWEETS) / (whole.total + PRIOR_EXPOSURE)
    share *= _lift(term.same_hours, whole.same_hours * share)
    share *= _lift(term.same_week_hours, whole.same_week_hours * share)
    return share * stream.tweets


def counted_tweets(observed: Observed, stream: Stream) -> float:
    """Return the tweets damped by how few accounts wrote them.

    ``n`` tweets drawn from the stream would have about 1 / (1/n + 1/stream.authors) effective authors. A topic with
    fewer counts in proportion, so ``n`` tweets of one account count as 1 + n / stream.authors: few in a stream of
    thousands of accounts, many in a stream of four.
    """
    if observed.tweets == 0 or stream.authors == 0:
        return float(observed.tweets)
    usual = 1 / (1 / observed.tweets + 1 / stream.authors)
    return observed.tweets * min(1.0, observed.authors / usual)


def burst_of(observed: Observed, stream: Stream) -> Burst:
    """Return the burst of a term or topic; the score is 0 when it was not used more than expected."""
    expected = expected_tweets(observed.baseline, stream)
    counted = counted_tweets(observed, stream)
    size = 1 / (1 / (observed.baseline.total + PRIOR_TWEETS) + DISPERSION)
    score = -log10_tail(counted, expected, size) if counted > expected else 0.0
    return Burst(expected, counted, max(0.0, score))


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


def benjamini_hochberg(log10_p: Sequence[float], rate: float) -> list[bool]:
    """Return which hypotheses to reject so that at most ``rate`` of the rejected are false, on average."""
    order = sorted(range(len(log10_p)), key=log10_p.__getitem__)
    rejected = [False] * len(log10_p)
    kept = 0
    for rank, index in enumerate(order, start=1):
        if log10_p[index] <= math.log10(rate * rank / len(order)):
            kept = rank
    for index in order[:kept]:
        rejected[index] = True
    return rejected


def _lift(seen: int, expected: float) -> float:
    return (seen + LIFT_PRIOR) / (expected + LIFT_PRIOR)


def _log_beta_part(a: float, b: float, x: float) -> float:
    # ln I_x(a, b) by its continued fraction, which converges fast for x < (a + 1) / (a + b + 2).
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return front - math.log(a) + math.log(_beta_fraction(a, b, x))


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

"""Sampling errors of shares and indexes: how far a day of n tweets may lie from the conversation that it samples.

Shares are smoothed by one pseudo-count a category (Laplace; Agresti and Coull 1998), so that a day on which all of
few tweets agree does not claim to be exact. Tweets are treated as independent draws; campaigns of copied texts are
not, so the real error is at least this.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from forecast_service.indexes.model import DayCount

BAND_LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + BAND_LEVEL) / 2)


def share_error(part: int, whole: int) -> float:
    """Return the standard error of the share ``part`` / ``whole``, in [0, 1]."""
    share = (part + 1) / (whole + 2)
    return sqrt(share * (1 - share) / (whole + 2))


def focus_error(tweets: int, mentions: int, all_tweets: int, all_mentions: int) -> float:
    """Return the standard error of the share ``tweets`` / ``all_tweets``, where a tweet may count in several parts.

    ``tweets`` are those of the part and ``all_tweets`` the sum over the parts; ``mentions`` are the parts that the
    tweets of the part name together, and ``all_mentions`` their sum over the parts. It is the ratio estimator's
    (Cochran 1977, *Sampling Techniques*, 6.4), by linearisation: tweets are the units drawn, not their mentions.
    Where each tweet names one part, it equals ``share_error``.
    """
    own, whole = tweets + 1, all_tweets + 2
    share = own / whole
    squares = own - 2 * share * (mentions + 1) + share**2 * (all_mentions + 2)
    return sqrt(max(squares, 0.0)) / whole


def isn_error(positive: int, negative: int, scored: int) -> float:
    """Return the standard error of ISN = (positive - negative) / scored, in [0, 1]."""
    total = scored + 3
    plus, minus = (positive + 1) / total, (negative + 1) / total
    return sqrt((plus + minus - (plus - minus) ** 2) / total)


def icce_error(count: DayCount, alpha: float) -> float:
    """Return the standard error of a day's ICCE in points: that of ISN and that of ICR, weighed as in ICCE."""
    sentiment = alpha / 2 * isn_error(count.positive, count.negative, count.scored)
    voice = (1 - alpha) * share_error(count.tweets, count.total_tweets)
    return 100 * sqrt(sentiment**2 + voice**2)


def band(value: float, error: float, lower: float, upper: float) -> tuple[float, float]:
    """Return the normal 95 % band around ``value`` with standard error ``error``, cut at ``lower`` and ``upper``."""
    return max(value - _Z * error, lower), min(value + _Z * error, upper)

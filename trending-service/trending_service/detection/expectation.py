"""How often a term is expected at each hour of the week, and how much its use varies.

The rate of a term is its share of the stream before the window (with a prior for newcomers) times the lift that it
has at this hour of the day and at this hour of the week, each shrunk towards 1. Its dispersion is estimated from how
far its daily counts lie from what the size of the stream on those days leads to expect (the Pearson moment estimator
of a negative binomial, Anscombe 1949), shrunk towards a prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trending_service.signals.counts import WEEK_HOURS, Floats, HourlyCounts, WindowPosts

PRIOR_TWEETS = 0.5
"""Tweets that a term is credited with before it is seen for the first time (Jeffreys' prior of a Poisson rate)."""
PRIOR_EXPOSURE = 50.0
"""Size of the stream in which the prior tweets are counted."""
LIFT_PRIOR = 3.0
"""Prior weight of a lift of 1, in tweets: a term's own rhythm counts once it was seen more often than that."""
PRIOR_DISPERSION = 0.15
"""Prior variance of a term's rate beyond Poisson, relative to its square: some 40 % from day to day."""
PRIOR_DAYS = 7.0
"""Weight of that prior, in days with several tweets of the term."""
LEAST_DISPERSION, MOST_DISPERSION = 0.05, 3.0


@dataclass(frozen=True, slots=True)
class Expectations:
    """By term (row): ``rates`` a tweet of the stream at each hour of the week, ``sizes`` of the negative binomial."""

    rates: Floats
    sizes: Floats

    def tweets(self, window: WindowPosts, seconds: int) -> Floats:
        """Return how many of the last ``seconds`` of the window's tweets each term is expected in."""
        recent = window.hours[window.ages < seconds] % WEEK_HOURS
        return np.asarray(self.rates @ np.bincount(recent, minlength=WEEK_HOURS).astype(float))


def expectations(terms: Sequence[str], counts: HourlyCounts) -> Expectations:
    """Return the expectations of ``terms``, in their order."""
    used = _matrix(terms, counts)
    stream = counts.stream.astype(float)
    totals = used.sum(axis=1)
    shares = (totals + PRIOR_TWEETS) / (stream.sum() + PRIOR_EXPOSURE)
    rates = shares[:, None] * _lifts(_by_week_hour(used, counts.first_hour), shares, counts)
    sizes = 1 / (1 / (totals + PRIOR_TWEETS) + _dispersion(used, stream, shares))
    return Expectations(rates, sizes)


def _matrix(terms: Sequence[str], counts: HourlyCounts) -> Floats:
    used = np.zeros((len(terms), len(counts.stream)))
    found = [(row, *counts.terms[term]) for row, term in enumerate(terms) if term in counts.terms]
    if found:
        rows, hours, tweets = zip(*found, strict=True)
        places = np.repeat(rows, [len(each) for each in hours])
        used[places, np.concatenate(hours).astype(np.int64) - counts.first_hour] = np.concatenate(tweets)
    return used


def _by_week_hour(hourly: Floats, first_hour: int) -> Floats:
    # Column 0 is the hour of the week in which 1970 began.
    weekly = np.zeros((len(hourly), WEEK_HOURS))
    for start in range(-(first_hour % WEEK_HOURS), hourly.shape[1], WEEK_HOURS):
        part = hourly[:, max(start, 0) : start + WEEK_HOURS]
        first = max(-start, 0)
        weekly[:, first : first + part.shape[1]] += part
    return weekly


def _lifts(weekly: Floats, shares: Floats, counts: HourlyCounts) -> Floats:
    whole = _by_week_hour(counts.stream[None, :].astype(float), counts.first_hour)
    usual = shares[:, None] * whole
    daily = np.tile(_ratio(_by_day_hour(weekly), _by_day_hour(usual)), 7)
    return daily * _ratio(_with_neighbours(weekly), _with_neighbours(usual * daily))


def _by_day_hour(weekly: Floats) -> Floats:
    return np.asarray(weekly.reshape(len(weekly), 7, 24).sum(axis=1))


def _with_neighbours(weekly: Floats) -> Floats:
    # A show does not begin at the full hour each week: the hours beside it count too.
    around = weekly.copy()
    around[:, 1:] += weekly[:, :-1]
    around[:, 0] += weekly[:, -1]
    around[:, :-1] += weekly[:, 1:]
    around[:, -1] += weekly[:, 0]
    return around


def _ratio(seen: Floats, usual: Floats) -> Floats:
    return (seen + LIFT_PRIOR) / (usual + LIFT_PRIOR)


def _dispersion(used: Floats, stream: Floats, shares: Floats) -> Floats:
    # Days are counted back from the window, so that nothing happens at midnight.
    days = used.shape[1] // 24
    if days == 0:
        return np.full(len(used), PRIOR_DISPERSION)
    daily = used[:, used.shape[1] - days * 24 :].reshape(len(used), days, 24).sum(axis=2)
    usual = shares[:, None] * stream[len(stream) - days * 24 :].reshape(days, 24).sum(axis=1)
    excess = ((daily - usual) ** 2 - usual).sum(axis=1)
    found = excess / np.maximum((usual**2).sum(axis=1), 1e-12)
    weight = (usual / (1 + usual)).sum(axis=1)
    mixed = (np.clip(found, 0, MOST_DISPERSION) * weight + PRIOR_DISPERSION * PRIOR_DAYS) / (weight + PRIOR_DAYS)
    return np.asarray(np.clip(mixed, LEAST_DISPERSION, MOST_DISPERSION))

"""Tests the posts of a term at several time scales at once, each ending with the window.

A short scale sees a burst early, a long one sees a weak burst at all. At each scale the count is tested against a
negative binomial around the expected one (``burst.py``). A scale of ``s`` minutes has 1440 / s separate looks a day,
and all scales are looked at, so its p-value is multiplied by the looks and divided by the part of the error that the
scale has (Bonferroni with weights: the window itself has most of it, the shorter scales share the rest). What remains
is a bound of how often a day chance alone would show so much of this term, however often it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trending_service.detection.burst import Flags, benjamini_hochberg, counted_tweets, is_likely, log10_tail
from trending_service.detection.crowd import Crowd, crowds_of
from trending_service.detection.expectation import expectations
from trending_service.signals.author_diversity import effective_authors
from trending_service.signals.counts import Floats, HourlyCounts, Ints, WindowPosts

SCALES_MINUTES = (15, 30, 60, 120, 240, 480, 960, 1440)
MOMENT_SECONDS = 30
FEW_MOMENTS = 5
OF_A_MOMENT, OF_A_CROWD = 1.2, 0.25
"""A topic whose tweets lie in fewer moments counts so many of each, or this share of all, whichever is more."""
OTHERS_OF_AN_ACCOUNT = 4.0
"""One account of a burst is needed for so many that write of other things."""
WINDOW_PART = 0.75
"""Part of the error that the window's own scale has."""
_DAY_SECONDS = 86_400
_PROMISING = -1.0
"""log10 of the chance above which a term is not looked at more closely: it cannot pass."""
_ROUNDING = 1e-6
"""What a p-value that is computed for many terms at once may differ by, in log10."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The strongest scale of a term.

    ``tweets`` in the last ``seconds``, of which ``counted`` after damping, where ``expected`` were; ``score`` =
    -log10 of the bound of how often a day chance would show so much. ``expected_in_window`` is for its whole length.
    """

    seconds: int
    tweets: int
    counted: float
    expected: float
    score: float
    expected_in_window: float = 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """The terms that burst, strongest first; ``tested`` terms in all; the score that was ``needed``."""

    bursts: dict[str, Burst]
    tested: int
    needed: float


def scales(window_seconds: int) -> list[int]:
    """Return the scales in seconds that fit into a window; its own length is the last."""
    shorter = [60 * minutes for minutes in SCALES_MINUTES if 60 * minutes < window_seconds]
    return [*shorter, window_seconds]


def voices_needed(min_tweets: int, authors: float) -> float:
    """Return the least damped count of a burst: ``min_tweets``, fewer where the stream has few accounts."""
    return min(float(min_tweets), max(1.0, math.sqrt(authors)))


def accounts_needed(voices: float, others: float) -> float:
    """Return how many accounts a burst needs that needs so many ``voices``, beside ``others`` of other tweets.

    One of four; at night, when few write, two or three that flood the stream are no burst.
    """
    return min(voices, max(1.0, others / OTHERS_OF_AN_ACCOUNT))


def looks_of(seconds: int, scales_in_all: int, *, is_window: bool) -> float:
    """Return by what the p-value of a scale is multiplied for all looks of a day."""
    part = WINDOW_PART if is_window else (1 - WINDOW_PART) / (scales_in_all - 1)
    return max(1.0, _DAY_SECONDS / seconds) / part


def detect(
    window: WindowPosts, terms: Mapping[str, Ints], counts: HourlyCounts, *, min_tweets: int, distinct: int,
    rate: float, crowds: Sequence[Crowd] = (),
) -> Detection:  # fmt: skip
    """Return the terms that burst in ``window``.

    ``terms`` maps those with at least ``min_tweets`` tweets to the numbers of their tweets in the window. ``distinct``
    is the number of all terms of the window: the rare ones were tested too, by their count. ``crowds`` as in ``scan``.
    """
    tested = max(distinct, len(terms))
    # A score is of a day, and so must be the tests: each of the windows of a day has terms of its own.
    a_day = round(tested * max(1.0, _DAY_SECONDS / window.seconds))
    # Also if all terms burst, none with a greater p-value than this would pass.
    most = math.log10(rate * len(terms) / a_day) if terms else 0.0
    found = scan(window, terms, counts, min_tweets, most, crowds)
    scores = [burst.score for burst in found.values()]
    passed = benjamini_hochberg([-score for score in scores], rate, of=a_day)
    kept = [item for item, holds in zip(found.items(), passed, strict=True) if holds]
    needed = math.log10(a_day / (rate * (len(kept) + 1))) if tested else 0.0
    return Detection(dict(sorted(kept, key=lambda item: (-item[1].score, item[0]))), tested, max(0.0, needed))


def scan(
    window: WindowPosts, terms: Mapping[str, Ints], counts: HourlyCounts, min_tweets: int, most: float = 0.0,
    crowds: Sequence[Crowd] = (),
) -> dict[str, Burst]:  # fmt: skip
    """Return the strongest scale of each of ``terms`` that has more tweets than expected at any.

    Terms whose log10 of the p-value is surely above ``most`` may be left out, and of others what is too low a score.
    ``crowds`` are what ``crowds_of`` returns for the window, where that is known.
    """
    names = sorted(terms)
    usual = expectations(names, counts)
    lengths = scales(window.seconds)
    expected = np.array([usual.tweets(window, length) for length in lengths])
    crowds = crowds or crowds_of(window)
    least = voices_needed(min_tweets, crowds[0].size())
    seen = _tweets_at_scales(window, [terms[name] for name in names], lengths)
    promising = _promising(seen, expected, usual.sizes, lengths, least, most)
    found = {}
    for row in np.flatnonzero(promising.any(axis=0)).tolist():
        tried = [(lengths[scale], float(expected[scale, row])) for scale in np.flatnonzero(promising[:, row])]
        burst = _strongest(window, terms[names[row]], tried, lengths, float(usual.sizes[row]), crowds, min_tweets)
        if burst is not None:
            found[names[row]] = replace(burst, expected_in_window=float(expected[-1, row]))
    return found


def _promising(seen: Ints, expected: Floats, sizes: Floats, lengths: Sequence[int], least: float, most: float) -> Flags:
    """Return by scale (row) and term where a p-value up to ``most`` is possible: damping only takes away."""
    found = (seen >= least) & (seen > expected)
    scale, term = np.nonzero(found)
    looks = np.array([looks_of(length, len(lengths), is_window=length == lengths[-1]) for length in lengths])
    limits = np.minimum(_PROMISING, most + _ROUNDING - np.log10(looks))
    found[scale, term] = ~is_likely(seen[scale, term].astype(float), expected[scale, term], sizes[term], limits[scale])
    return found


def _tweets_at_scales(window: WindowPosts, posts: Sequence[Ints], lengths: Sequence[int]) -> Ints:
    """Return by scale (row) and term how many of its ``posts`` lie in the last seconds of that scale."""
    if not posts:
        return np.zeros((len(lengths), 0), dtype=np.int64)
    owners = np.repeat(np.arange(len(posts)), [len(rows) for rows in posts])
    first = np.searchsorted(lengths, window.ages[np.concatenate(posts)], side="right")
    places = first * len(posts) + owners
    shape = (len(lengths) + 1, len(posts))
    return np.asarray(np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)[:-1].cumsum(axis=0))


def _strongest(
    window: WindowPosts, posts: Ints, tried: Sequence[tuple[int, float]], lengths: Sequence[int], size: float,
    crowds: Sequence[Crowd], min_tweets: int,
) -> Burst | None:  # fmt: skip
    ages = window.ages[posts]
    crowd, others = crowds[0], [each.without(posts) for each in crowds]
    least, usual_least = voices_needed(min_tweets, crowd.size()), voices_needed(min_tweets, crowd.most())
    needed = accounts_needed(least, others[0].size())
    best: Burst | None = None
    for length, usual in tried:
        recent = posts[ages < length]
        heard = window.voices(recent)
        if len(heard) < least or len(heard) <= usual or log10_tail(len(heard), usual, size) > _PROMISING:
            continue
        if min(len(np.unique(accounts)) for accounts in window.accounts(heard)) < needed:
            continue
        # One account that writes most of a stream makes ``size`` small, but the others are no fewer for it.
        if min(each.usual(heard) for each in others) < usual_least:
            continue
        looks = looks_of(length, len(lengths), is_window=length == lengths[-1])
        burst = replace(_burst(window, heard, length, float(usual), size, crowd.size(), looks), tweets=len(recent))
        if burst.counted >= least and burst.score > (best.score if best else 0.0):
            best = burst
    return best


def _burst(
    window: WindowPosts, recent: Ints, length: int, usual: float, size: float, crowd: float, looks: float
) -> Burst:
    authors = min(effective_authors(_per_author(accounts)) for accounts in window.accounts(recent))
    voices = counted_tweets(len(recent), authors, crowd)
    counted = min(voices, _most_of_moments(window.ages[recent]))
    score = -log10_tail(counted, usual, size) - math.log10(looks) if counted > usual else 0.0
    return Burst(length, len(recent), counted, usual, max(0.0, score))


def _most_of_moments(ages: Ints) -> float:
    # What comes within seconds may come from one hand.
    moments = len(np.unique(ages // MOMENT_SECONDS))
    return max(OF_A_MOMENT * moments, OF_A_CROWD * len(ages)) if moments < FEW_MOMENTS else math.inf


def _per_author(authors: Ints) -> list[int]:
    return [int(count) for count in np.unique(authors, return_counts=True)[1]]

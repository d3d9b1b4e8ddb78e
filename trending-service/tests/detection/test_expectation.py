"""Expectations of terms: share, rhythm, newcomers, dispersion."""

from __future__ import annotations

import numpy as np
import pytest

from trending_service.detection.expectation import (
    PRIOR_DISPERSION,
    PRIOR_EXPOSURE,
    PRIOR_TWEETS,
    Expectations,
    expectations,
)
from trending_service.signals.counts import HourlyCounts, WindowPosts

WEEKS = 4
HOURS = WEEKS * 168
FIRST = 168 * 2700


def _counts(terms: dict[str, dict[int, int]], *, stream: int = 10, hours: int = HOURS) -> HourlyCounts:
    return HourlyCounts(
        FIRST,
        np.full(hours, stream),
        {name: ([FIRST + hour for hour in used], list(used.values())) for name, used in terms.items()},
    )


def _window(hour: int, tweets: int = 100) -> WindowPosts:
    return WindowPosts(3600, np.arange(tweets) * 30, np.full(tweets, FIRST + HOURS + hour), np.arange(tweets))


def _expected(made: Expectations, hour: int) -> float:
    return float(made.tweets(_window(hour), 3600)[0])


def test_the_expectation_follows_the_size_of_the_stream() -> None:
    """A term with a tenth of the baseline is expected in a tenth of the window."""
    made = expectations(["a"], _counts({"a": dict.fromkeys(range(HOURS), 1)}))
    assert _expected(made, 5) == pytest.approx(10, rel=0.02)


def test_a_newcomer_has_the_prior_share_that_is_documented() -> None:
    """Half a tweet more in fifty tweets more, divided by nothing else where there is no rhythm."""
    made = expectations(["new"], _counts({}))
    assert made.rates[0].mean() == pytest.approx(PRIOR_TWEETS / (10 * HOURS + PRIOR_EXPOSURE), rel=0.05)
    assert made.sizes[0] == pytest.approx(1 / (1 / PRIOR_TWEETS + PRIOR_DISPERSION), rel=0.01)


@pytest.mark.parametrize("period", [24, 168])
def test_a_term_with_a_rhythm_is_expected_at_its_hours(period: int) -> None:
    """What is said at one hour of the day, or of the week, is expected there and not at another."""
    rhythm = dict.fromkeys(range(20, HOURS, period), 6)
    made = expectations(["show"], _counts({"show": rhythm}))
    assert _expected(made, 20) > 5 * _expected(made, 8)


def test_a_weekly_show_may_begin_an_hour_later() -> None:
    """The hours beside that of the week are expected more than the rest."""
    made = expectations(["show"], _counts({"show": dict.fromkeys(range(20, HOURS, 168), 20)}))
    assert _expected(made, 21) > 2 * _expected(made, 40)


def test_a_term_that_comes_in_waves_has_a_smaller_size_than_a_steady_one() -> None:
    """The dispersion is estimated from the days, so that a wave of a wavy term surprises less."""
    steady = dict.fromkeys(range(0, HOURS, 2), 1)
    waves = dict.fromkeys(range(0, HOURS, 240), 30)
    made = expectations(["steady", "waves"], _counts({"steady": steady, "waves": waves}))
    assert made.sizes[1] < 1.5 < 5 < made.sizes[0]


def test_no_baseline_and_no_term_have_answers() -> None:
    """An empty baseline gives the prior, no term an empty table."""
    empty = HourlyCounts(FIRST, np.zeros(0, dtype=np.int64), {})
    assert _expected(expectations(["a"], empty), 3) == pytest.approx(100 * PRIOR_TWEETS / PRIOR_EXPOSURE)
    assert expectations([], _counts({})).rates.shape == (0, 168)


@pytest.mark.parametrize(("before", "behind"), [(1, 0), (100, 0), (168, 3), (500, 200)])
def test_hours_in_which_nothing_was_written_change_no_rate(before: int, behind: int) -> None:
    """Whatever hour of a week the baseline begins and ends at, each count belongs to its own hour of the week."""
    chance = np.random.default_rng(before)
    stream, used = chance.integers(1, 50, 300), chance.integers(0, 9, (3, 300))
    terms = {f"t{row}": (FIRST + 40 + np.arange(300), tweets) for row, tweets in enumerate(used)}
    terms["never"] = ([], [])
    short = HourlyCounts(FIRST + 40, stream, terms)
    long = HourlyCounts(FIRST + 40 - before, np.pad(stream, (before, behind)), terms)
    assert np.array_equal(expectations(sorted(terms), short).rates, expectations(sorted(terms), long).rates)

"""Topic focus and its sampling error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from forecast_service.clients.twitter import AxisCount, DailyAxes
from forecast_service.indexes.sampling import band, focus_error, share_error
from forecast_service.indexes.topic_focus import focus_of


def day(axes: dict[str, tuple[int, int]]) -> DailyAxes:
    """Return a day with tweets and mentions by axis."""
    counts = [AxisCount(axis=axis, tweets=tweets, mentions=mentions) for axis, (tweets, mentions) in axes.items()]
    return DailyAxes(date=date(2026, 5, 1), tweets=100, with_axis=100, gap=False, axes=counts)


def drawn(axes: Sequence[np.ndarray]) -> DailyAxes:
    """Return a day of tweets, each of which is on the axes that are true for it."""
    named = np.sum(axes, axis=0)
    return day({str(at): (int(on.sum()), int(named[on].sum())) for at, on in enumerate(axes)})


def test_golden_values() -> None:
    """IFT = V(c, k) / sum of V(c, j): 30, 50 and 20 tweets over two days give .3, .5 and .2, the largest first."""
    days = [day({"paz": (10, 10), "salud": (50, 50)}), day({"paz": (20, 20), "economia": (20, 20)})]
    found = focus_of(days)
    assert [(one.axis, one.tweets, one.share) for one in found] == [
        ("salud", 50, 0.5), ("paz", 30, 0.3), ("economia", 20, 0.2),
    ]  # fmt: skip
    assert [one.error for one in found] == pytest.approx([share_error(one.tweets, 100) for one in found])


@pytest.mark.parametrize("days", [[], [day({})], [day({"paz": (0, 0)})]])
def test_nothing_named_has_no_focus(days: list[DailyAxes]) -> None:
    """No tweet on any topic, no share."""
    assert focus_of(days) == []


def test_one_tweet_alone_is_not_certain() -> None:
    """All of one tweet, or of a tweet on all ten topics, is not exact."""
    assert focus_error(1, 1, 1, 1) == pytest.approx(share_error(1, 1))
    assert focus_error(1, 10, 10, 100) > 0.01


def test_the_band_holds_the_share_that_tweets_are_drawn_from() -> None:
    """Of 2,000 days of about 200 tweets, which are on health alone or on two other topics together, 93 to 97 % hold it.

    Tweets and not mentions are drawn: taken as so many draws of one topic each, fewer would.
    """
    rng, held, of_mentions = np.random.default_rng(3), 0, 0
    share = 0.5 / (0.5 + 2 * 0.5)
    for _ in range(2000):
        health = rng.random(int(rng.integers(150, 250))) < 0.5
        found = next(one for one in focus_of([drawn([health, ~health, ~health])]) if one.axis == "0")
        low, high = band(found.share, found.error, 0, 1)
        held += low <= share <= high
        low, high = band(found.share, share_error(found.tweets, round(found.tweets / found.share)), 0, 1)
        of_mentions += low <= share <= high
    assert 0.93 <= held / 2000 <= 0.97
    assert of_mentions < 0.92 * 2000

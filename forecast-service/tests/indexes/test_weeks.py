"""A week against the week before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest

from forecast_service.api.mappers import weeks_of
from forecast_service.api.schemas.indexes import Weeks
from forecast_service.indexes.model import DayCount
from forecast_service.indexes.weeks import week_by_week

UNTIL = date(2022, 5, 28)
AS_OF = datetime(2022, 5, 29, 5, tzinfo=UTC)


def day(back: int, tweets: int, positive: int, negative: int, total: int, scored: int | None = None) -> DayCount:
    """Return counts of the day ``back`` days before the last."""
    scored = tweets if scored is None else scored
    return DayCount(UNTIL - timedelta(days=back), tweets, scored, positive, negative, total)


def weeks(**days: list[DayCount]) -> Weeks:
    """Return both weeks of entities as they are answered."""
    counts = [(name, one) for name, given in days.items() for one in given]
    return weeks_of(week_by_week(counts, AS_OF, UNTIL, alpha=0.5))


def test_the_week_is_the_index_of_its_sums() -> None:
    """Days weigh by their tweets: 1 positive of 2 and 60 negative of 98 are -0.59, not the mean of two days."""
    answer = weeks(ana=[day(6, 2, 1, 0, 10), day(0, 98, 0, 60, 190), day(7, 40, 10, 10, 100)])
    [one] = answer.items
    assert (one.now.tweets, one.now.scored, answer.total_tweets) == (100, 100, 200)
    assert one.now.isn == pytest.approx(-0.59)
    assert one.now.icce == pytest.approx(100 * (0.5 * (1 - 0.59) / 2 + 0.5 * 100 / 200))
    assert (one.before.tweets, one.before.icce) == (40, pytest.approx(100 * (0.25 + 0.5 * 0.4)))
    assert one.change == pytest.approx(35.25 - 45.0)
    assert (answer.since, answer.until) == (date(2022, 5, 22), UNTIL)


def test_the_change_has_the_interval_of_both_weeks() -> None:
    """Its standard error is the root of the sum of squares; certain is said where the band excludes zero."""
    [one] = weeks(ana=[day(0, 400, 300, 50, 800), day(7, 400, 50, 300, 800)]).items
    assert one.certain
    errors = [(week.high - week.low) / 2 for week in (one.now, one.before) if week.high and week.low]
    assert one.change_high is not None
    assert one.change is not None
    assert one.change_high - one.change == pytest.approx(sqrt(sum(error**2 for error in errors)), rel=1e-3)
    [few] = weeks(ana=[day(0, 4, 3, 0, 8), day(7, 4, 1, 2, 8)]).items
    assert not few.certain
    assert few.now.note == "few_tweets"


def test_silence_is_silence() -> None:
    """Where nobody spoke, or nothing is scored, there is no index, no change, and a word for it; not 25 points."""
    answer = weeks(
        ana=[day(0, 50, 30, 5, 60), day(7, 50, 30, 5, 60)],
        eva=[day(0, 0, 0, 0, 60), day(7, 10, 5, 0, 60)],
        iva=[day(0, 10, 0, 0, 60, scored=0), day(7, 0, 0, 0, 60)],
    )
    ana, iva, eva = answer.items
    assert (ana.now.note, eva.now.note, iva.now.note) == (None, "silent", "silent")
    assert eva.now.icce is eva.now.low is eva.change is eva.change_low is None
    assert (eva.now.share_of_voice, iva.now.share_of_voice, ana.now.share_of_voice) == (0.0, 0.1667, 0.8333)
    assert not eva.certain


def test_nothing_stored_has_no_share() -> None:
    """Two weeks without any tweet have neither index nor share of voice."""
    [one] = weeks(ana=[day(0, 0, 0, 0, 0), day(7, 0, 0, 0, 0)]).items
    assert one.now.share_of_voice is one.now.share_low is one.now.icce is None

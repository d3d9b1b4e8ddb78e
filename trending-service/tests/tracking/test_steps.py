"""Trends start, peak and end once, however often is looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trending_service.tracking.model import Trend
from trending_service.tracking.steps import GONE, Seen, step

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)


def _seen(rate: float, key: str = "#paro") -> Seen:
    return Seen(key, frozenset({key, "paro"}), "#Paro", rate, NOON, {"terms": ["#Paro", "paro"]})


def _follow(rates: list[float | None], minutes: int = 10) -> list[tuple[str, int]]:
    """Look every ``minutes`` minutes; a rate of None: it is no topic then. Return what happened when."""
    going_on: dict[str, Trend] = {}
    told = []
    for number, rate in enumerate(rates):
        at = NOON + timedelta(minutes=minutes * number)
        made = step(list(going_on.values()), [] if rate is None else [_seen(rate)], "", at)
        for trend in made.trends:
            going_on[trend.key] = trend
        going_on = {key: trend for key, trend in going_on.items() if trend.ended_at is None}
        told += [(event.kind, number) for event in made.events]
    return told


def test_a_trend_starts_peaks_and_ends_once() -> None:
    """The peak is told when it is past, the end after an hour without it."""
    gone = int(GONE / timedelta(minutes=10))
    told = _follow([10, 20, 30, 29, 20, 15, *[None] * (gone + 3)])
    assert told == [("start", 0), ("peak", 4), ("end", 5 + gone)]


def test_a_short_gap_is_the_same_trend_and_a_second_wave_has_a_peak_of_its_own() -> None:
    """It returns within the hour: no new start; it rises above the first peak: a new peak."""
    assert _follow([10, None, None, 10]) == [("start", 0)]
    assert _follow([10, 5, 30, 10]) == [("start", 0), ("peak", 1), ("peak", 3)]


def test_another_name_of_the_same_topic_is_no_new_trend() -> None:
    """A topic whose label changes keeps its trend while they share a term."""
    first = step([], [_seen(10)], "", NOON)
    renamed = Seen("paro", frozenset({"paro", "#paro"}), "paro", 11, NOON, {"terms": ["paro", "#Paro"]})
    assert step(first.trends, [renamed], "", NOON + timedelta(minutes=1)).events == []


def test_after_a_longer_gap_a_topic_is_a_new_trend() -> None:
    """The one of before ended when it was gone for an hour, also when nobody looked for weeks: a start is told."""
    first = step([], [_seen(10)], "", NOON)
    later = NOON + timedelta(days=60)
    made = step(first.trends, [_seen(10)], "", later)
    assert [(event.kind, event.at) for event in made.events] == [("end", later), ("start", later)]
    assert [trend.ended_at for trend in made.trends] == [NOON + GONE, None]


def test_the_same_moment_again_changes_nothing() -> None:
    """A replica that takes over may look at a moment that was looked at."""
    first = step([], [_seen(10)], "", NOON)
    assert step(first.trends, [_seen(10)], "", NOON).events == []

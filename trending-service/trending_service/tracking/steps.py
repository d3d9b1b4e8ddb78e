"""From the trends that go on and the topics of now to what changed. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trending_service.tracking.model import Trend, TrendEvent

PAST_PEAK = 0.7
"""Share of the highest rate below which a trend is past its peak."""
GONE = timedelta(minutes=60)
"""A trend that is no topic for so long has ended; one that returns sooner is the same, one later is new."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A topic of now: ``keys`` are those of all its terms; ``rate`` is in tweets an hour."""

    key: str
    keys: frozenset[str]
    name: str
    rate: float
    started_at: datetime
    topic: dict[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be stored: trends with their new state, and what happened."""

    trends: list[Trend]
    events: list[TrendEvent]


def step(going_on: Sequence[Trend], seen: Sequence[Seen], scope: str, now: datetime) -> Step:
    """Return what changed at ``now``; asked again at the same moment nothing is new."""
    trends = [replace(trend, ended_at=trend.last_seen_at + GONE) for trend in going_on if _is_gone(trend, now)]
    events = [TrendEvent("end", now, trend) for trend in trends]
    left = {trend.key: trend for trend in going_on if not _is_gone(trend, now)}
    for topic in seen:
        before = next((left.pop(key) for key in sorted(topic.keys | {topic.key}) if key in left), None)
        if before is None:
            trends.append(_started(topic, scope, now))
            events.append(TrendEvent("start", now, trends[-1]))
            continue
        after = _seen_again(before, topic, now)
        trends.append(after)
        if after.peak_told and not before.peak_told:
            events.append(TrendEvent("peak", now, after))
    return Step(trends, events)


def _is_gone(trend: Trend, now: datetime) -> bool:
    return now - trend.last_seen_at >= GONE


def _started(topic: Seen, scope: str, now: datetime) -> Trend:
    return Trend(
        None, scope, topic.key, topic.name, topic.started_at, now, now, topic.rate, False, None, dict(topic.topic)
    )


def _seen_again(trend: Trend, topic: Seen, now: datetime) -> Trend:
    seen = replace(trend, last_seen_at=now, topic=dict(topic.topic))
    if topic.rate > trend.peak_rate:
        return replace(seen, peak_at=now, peak_rate=topic.rate, peak_told=False)
    return replace(seen, peak_told=trend.peak_told or topic.rate < PAST_PEAK * trend.peak_rate)

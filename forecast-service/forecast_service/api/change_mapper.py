"""From change points and days of the calendar to wire models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from urllib.parse import urlencode

from castor_chassis import normal_time
from forecast_service.api.schemas import indexes as wire
from forecast_service.clients.trending import TOPICS, WINDOW_HOURS, TrendingTopic
from forecast_service.indexes.calendar import end_of
from forecast_service.indexes.change_service import Trending
from forecast_service.indexes.changes import Change
from forecast_service.indexes.events import events_between
from forecast_service.indexes.model import EntityIndex

_NEAR = timedelta(days=2)


def changes_answer(index: EntityIndex, changes: Sequence[Change], trending: Trending) -> wire.Changes:
    """Return change points as they are answered, with what the calendar says of their days and what was trending."""
    return wire.Changes(
        entity=index.entity,
        as_of=index.as_of,
        days_observed=index.days_observed,
        data_age_days=index.age_days,
        items=[_change(index, one, trending.topics.get(one.day)) for one in changes],
    )


def events_of(first: date, last: date) -> list[wire.Event]:
    """Return elections and holidays from ``first`` to ``last``."""
    return [wire.Event.model_validate(asdict(event)) for event in events_between(first, last)]


def _change(index: EntityIndex, change: Change, topics: Sequence[TrendingTopic] | None) -> wire.Change:
    names = ("before", "after", "change", "low", "high")
    return wire.Change(
        date=change.day,
        events=events_of(change.day - _NEAR, change.day + _NEAR),
        trending=_path(index, change.day),
        topics=None if topics is None else [wire.ChangeTopic.model_validate(topic.model_dump()) for topic in topics],
        **{name: round(getattr(change, name), 4) for name in names},
    )


def _path(index: EntityIndex, day: date) -> str:
    asked = {"as_of": normal_time(end_of(day)), "window_hours": WINDOW_HOURS, "entity": index.entity}
    if index.dataset is not None:
        asked["dataset"] = index.dataset
    return f"{TOPICS}?{urlencode(asked, safe=':')}"

"""From change points and days of the calendar to wire models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from castor_chassis import DAYS_OF, normal_time
from forecast_service.api.schemas import indexes as wire
from forecast_service.indexes.changes import Change
from forecast_service.indexes.events import events_between
from forecast_service.indexes.model import EntityIndex

_NEAR = timedelta(days=2)


def changes_answer(index: EntityIndex, changes: Sequence[Change]) -> wire.Changes:
    """Return change points as they are answered, with what the calendar says of their days."""
    return wire.Changes(
        entity=index.entity,
        as_of=index.as_of,
        days_observed=index.days_observed,
        data_age_days=index.age_days,
        items=[_change(one) for one in changes],
    )


def events_of(first: date, last: date) -> list[wire.Event]:
    """Return elections and holidays from ``first`` to ``last``."""
    return [wire.Event.model_validate(asdict(event)) for event in events_between(first, last)]


def _change(change: Change) -> wire.Change:
    names = ("before", "after", "change", "low", "high")
    return wire.Change(
        date=change.day,
        events=events_of(change.day - _NEAR, change.day + _NEAR),
        trending=f"/v1/trending/topics?as_of={normal_time(_end_of(change.day))}",
        **{name: round(getattr(change, name), 4) for name in names},
    )


def _end_of(day: date) -> datetime:
    """Return the moment at which a day of America/Bogota is over."""
    return datetime.combine(day + timedelta(days=1), time(), DAYS_OF).astimezone(UTC)

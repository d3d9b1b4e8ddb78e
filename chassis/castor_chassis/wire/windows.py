"""Spans of time in requests: ``since`` and ``until``, each a moment or a whole day of America/Bogota.

A span holds what is not older than ``since`` and older than ``until``; a day given as ``until`` is in it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from castor_chassis.wire.errors import Invalid
from castor_chassis.wire.fields import OUTSIDE, Timestamp, moment_from

DAYS_OF = ZoneInfo("America/Bogota")
"""Where a day begins and ends, in every service."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EITHER = WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]})
SINCE = "Not older than this: a moment, or a day of America/Bogota from its beginning."
UNTIL = "Older than this moment; a day of America/Bogota is included to its end."


def _beginning(value: Any, days: int = 0) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return value
    try:
        return datetime.combine(date.fromisoformat(value) + timedelta(days=days), time(), DAYS_OF)
    except OverflowError as error:
        raise ValueError(OUTSIDE) from error


def _end(value: Any) -> Any:
    return _beginning(value, days=1)


def _day(value: Any, before: timedelta = timedelta()) -> Any:
    # Pydantic alone takes numbers for dates.
    if not isinstance(value, str) or _DAY.fullmatch(value):
        return value
    moment = moment_from(value)
    try:
        return (moment.astimezone(DAYS_OF) - before).date()
    except OverflowError as error:
        raise ValueError(OUTSIDE) from error


def _last_day(value: Any) -> Any:
    return _day(value, timedelta.resolution)


TimeSpan = tuple[datetime | None, datetime | None]
"""A span as repositories take it: not older than the first, older than the second; None leaves an end open."""
ANY_TIME: TimeSpan = (None, None)
Since = Annotated[Timestamp, BeforeValidator(_beginning), _EITHER]
Until = Annotated[Timestamp, BeforeValidator(_end), _EITHER]
SinceQuery = Annotated[Since | None, Query(description=SINCE)]
UntilQuery = Annotated[Until | None, Query(description=UNTIL)]
SinceDay = Annotated[
    Annotated[date, BeforeValidator(_day), _EITHER] | None,
    Query(description="First day, of America/Bogota; a moment stands for the day it lies in."),
]
UntilDay = Annotated[
    Annotated[date, BeforeValidator(_last_day), _EITHER] | None,
    Query(description="Last day, inclusive, of America/Bogota; a moment stands for the day of the instant before it."),
]
"""Spans of whole days; parameters only."""


def check_span(since: datetime | date | None, until: datetime | date | None, *, place: str = "query") -> None:
    """Raise ``Invalid`` for a span in which nothing can be: of days from the later to the earlier, of moments also from
    one to itself. ``place`` is where its two values stand.
    """
    if since is None or until is None or since < until or (since == until and not isinstance(since, datetime)):
        return
    reason = f"nothing lies between {place}.since and {place}.until; give a later {place}.until"
    raise Invalid(field=f"{place}.until", reason=reason)

"""Parameters that several resources share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field, StringConstraints

from castor_chassis import Composed, ComposedText, Invalid, Timestamp, check_span, normal_time
from trending_service.text.terms import MAX_TERM_CHARS
from trending_service.topics.service import moment

AsOf = Annotated[
    Timestamp | None,
    Query(
        description="Answer as if it were this moment, between 2006 and 2100; now by default. "
        "Later tweets are not seen, whatever until says."
    ),
]
TopicPath = Annotated[
    str, Composed, Path(min_length=1, max_length=MAX_TERM_CHARS, description="A topic; '#' is sent as %23.")
]
MoreTerms = Annotated[
    list[Annotated[str, Composed, Field(min_length=1, max_length=MAX_TERM_CHARS)]],
    Query(
        default_factory=list,
        max_length=50,
        description="Further terms of the topic ('terms' of a topic): a tweet with any counts once.",
    ),
]
ScopeName = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Place = Annotated[ScopeName | None, Query(description="Only tweets that mention this place.")]
Entity = Annotated[ScopeName | None, Query(description="Only tweets that mention this tracked entity, by its id.")]
Axis = Annotated[ScopeName | None, Query(description="Only tweets about this axis.")]
Dataset = Annotated[ScopeName | None, Query(description="Only tweets of this data set.")]
WindowName = Literal["1h", "6h", "24h"]
Window = Annotated[WindowName | None, Query(description="Say window_hours, or since, instead.", deprecated=True)]
WindowHours = Annotated[
    int, Query(ge=1, le=720, description="Length of the window, where since does not say where it begins.")
]
MinTweets = Annotated[int, Query(ge=2, le=10_000, description="A term in fewer tweets is no topic.")]


def scopes_of(
    place: str | None = None, entity: str | None = None, axis: str | None = None, dataset: str | None = None
) -> tuple[str, ...]:
    """Return what tweets must have for these filters, sorted."""
    named = (("place", place), ("entity", entity), ("axis", axis), ("dataset", dataset))
    return tuple(sorted(f"{kind}:{name}" for kind, name in named if name is not None))


@dataclass(frozen=True, slots=True)
class Asked:
    """The window of a question: so many hours up to a moment."""

    until: datetime
    hours: int


def window_of(
    since: datetime | None, until: datetime | None, as_of: datetime | None, window_hours: int, *, most: int = 720
) -> Asked:
    """Return the window up to ``until``, or to ``as_of`` where that is earlier or stands alone; to now at the latest.

    With ``since`` it is the whole hours that hold it. Raises ``Invalid`` for a window without time, or with more than
    ``most`` hours.
    """
    check_span(since, until)
    named = (until, "query.until"), (as_of, "query.as_of")
    end = min((moment(asked, field) for asked, field in named if asked is not None), default=moment(None))
    if since is None:
        return Asked(end, window_hours)
    # The first seconds of a day are asked for before its first hour has begun.
    hours = 1 if end == since else math.ceil((end - since) / timedelta(hours=1))
    if not 1 <= hours <= most:
        reason = f"the window from query.since to {normal_time(end)} has {hours} hours; 1 to {most} are possible"
        raise Invalid(field="query.since", reason=reason)
    return Asked(end, hours)

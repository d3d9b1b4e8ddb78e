"""Parameters that several resources share."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field, StringConstraints

from castor_chassis import Text, Timestamp
from trending_service.text.terms import MAX_TERM_CHARS

AsOf = Annotated[
    Timestamp | None,
    Query(
        description="Answer as if it were this moment, between 2006 and 2100; now by default. "
        "Later tweets are not seen."
    ),
]
TopicPath = Annotated[str, Path(min_length=1, max_length=MAX_TERM_CHARS, description="A topic; '#' is sent as %23.")]
MoreTerms = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_TERM_CHARS)]],
    Query(
        default_factory=list,
        max_length=50,
        description="Further terms of the topic ('terms' of a topic): a tweet with any counts once.",
    ),
]
ScopeName = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Place = Annotated[ScopeName | None, Query(description="Only tweets that mention this place.")]
Entity = Annotated[ScopeName | None, Query(description="Only tweets that mention this tracked entity, by its id.")]
Axis = Annotated[ScopeName | None, Query(description="Only tweets about this axis.")]
Dataset = Annotated[ScopeName | None, Query(description="Only tweets of this data set.")]
WindowName = Literal["1h", "6h", "24h"]
Window = Annotated[WindowName | None, Query(description="Length of the window; another way to say window_hours.")]
WindowHours = Annotated[int, Query(ge=1, le=720, description="Length of the window that ends with as_of.")]
MinTweets = Annotated[int, Query(ge=2, le=10_000, description="A term in fewer tweets is no topic.")]


def scopes_of(
    place: str | None = None, entity: str | None = None, axis: str | None = None, dataset: str | None = None
) -> tuple[str, ...]:
    """Return what tweets must have for these filters, sorted."""
    named = (("place", place), ("entity", entity), ("axis", axis), ("dataset", dataset))
    return tuple(sorted(f"{kind}:{name}" for kind, name in named if name is not None))


def hours_of(window: WindowName | None, window_hours: int) -> int:
    """Return the length of a window in hours; ``window`` goes before ``window_hours``."""
    return window_hours if window is None else int(window.removesuffix("h"))

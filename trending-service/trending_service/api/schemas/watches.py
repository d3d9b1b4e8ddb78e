"""Wire models of watches."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from castor_chassis import ComposedText, Integer, Number, RequestModel, ResponseModel, Text, Timestamp
from trending_service.text.terms import MAX_TERM_CHARS
from trending_service.watches.model import NewWatch, Status, WatchKind

Name = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Term = Annotated[ComposedText, StringConstraints(min_length=1, max_length=MAX_TERM_CHARS)]
Url = Annotated[Text, StringConstraints(min_length=9, max_length=2000)]
Hour = Annotated[Integer, Field(ge=0, le=23)]
THRESHOLDS: dict[WatchKind, tuple[float, float, float]] = {
    "trend_starts": (0, 0, 0),
    "volume_doubles": (1.1, 2, 1000),
    "sentiment_falls": (0.01, 0.2, 1),
    "coordination_suspected": (3, 3, 1000),
}
"""Least, usual and greatest threshold of each kind."""


class WatchRequest(RequestModel):
    """What to be told of."""

    name: Name
    kind: WatchKind
    topic: Term | None = Field(None, description="Only trends with this word or tag; for trend_starts.")
    place: Name | None = Field(None, description="Only tweets that mention this place.")
    entity: Name | None = Field(None, description="Only tweets that mention this tracked entity, by its id.")
    threshold: Number | None = Field(
        None,
        description="volume_doubles: times the usual (2); sentiment_falls: rise of the negative share (0.2); "
        "coordination_suspected: members (3).",
    )
    url: Url | None = Field(None, description="Where messages are posted to, https; without it read the stream.")
    quiet_from: Hour | None = Field(None, description="Local hour from which nothing is sent.")
    quiet_until: Hour | None = Field(None, description="Local hour from which it is sent again.")
    digest_minutes: Annotated[Integer, Field(ge=5, le=10_080)] | None = Field(
        None, description="Send what happened together, once in so many minutes."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        least, _, most = THRESHOLDS[self.kind]
        if self.threshold is not None and not least <= self.threshold <= most:
            raise ValueError(f"threshold of {self.kind} must be between {least:g} and {most:g}")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until belong together: give both or none")
        if self.topic is not None and self.kind != "trend_starts":
            raise ValueError("topic is for trend_starts only; use entity or place")
        return self

    def record(self) -> NewWatch:
        """Return it as it is stored."""
        threshold = THRESHOLDS[self.kind][1] if self.threshold is None else self.threshold
        return NewWatch(**{**self.model_dump(), "threshold": threshold})


class Watch(ResponseModel):
    """A watch."""

    id: str
    name: str
    kind: WatchKind
    topic: str | None
    place: str | None
    entity: str | None
    threshold: float
    url: str | None
    quiet_from: int | None
    quiet_until: int | None
    digest_minutes: int | None
    created_at: Timestamp
    rotated_at: Timestamp | None = Field(description="When its secret was changed.")


class WatchWithSecret(ResponseModel):
    """A watch with the secret that its receiver verifies messages with."""

    watch: Watch
    secret: str | None = Field(description="whsec_…, shown only now; null without a url.")


class WatchEvent(ResponseModel):
    """Something that a watch asked for."""

    seq: Integer
    kind: str
    at: Timestamp
    body: dict[str, Any]
    status: Status = Field(description="stream: only read here; pending, delivered or dead: of its webhook.")
    attempts: int
    due_at: Timestamp = Field(description="Not sent before.")
    settled_at: Timestamp | None
    last_error: str | None


class Deleted(ResponseModel):
    """What was deleted."""

    deleted: str


class Queued(ResponseModel):
    """What will be sent again."""

    queued: Integer

"""Records of watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

WatchKind = Literal["trend_starts", "sentiment_falls", "volume_doubles", "coordination_suspected"]
KINDS: frozenset[str] = frozenset(get_args(WatchKind))
Status = Literal["stream", "pending", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class NewWatch:
    """What a user asks to be told; ``url`` is None where a stream of events is enough.

    ``quiet_from`` and ``quiet_until`` are local hours. With ``digest_minutes`` events are told together.
    """

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


@dataclass(frozen=True, slots=True)
class Watch(NewWatch):
    """A stored watch; ``generation`` counts its secrets, ``rotated_at`` is when the last one was made."""

    id: str
    owner: str
    generation: int
    rotated_at: datetime | None
    created_at: datetime

    @property
    def scope(self) -> str:
        """What its tweets must have, as trends are followed: parts joined with ``|``."""
        named = (("entity", self.entity), ("place", self.place))
        return "|".join(f"{kind}:{name}" for kind, name in named if name is not None)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a watch asked for; ``key`` is the same however often it is noticed.

    With ``once_in`` nothing of its kind is told again in that time.
    """

    key: str
    kind: str
    body: dict[str, Any]
    once_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a watch are wanted: after a number, at most so many, of a status, of a span of time."""

    after: int
    limit: int = 100
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """An event of a watch, and how far its delivery is."""

    seq: int
    key: str
    kind: str
    at: datetime
    body: dict[str, Any]
    status: Status
    attempts: int
    due_at: datetime
    settled_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent together: one, or those of a digest; ``id`` stays the same in all attempts."""

    id: str
    watch: Watch
    events: list[WatchEvent]

    @property
    def attempts(self) -> int:
        """How often it was sent in vain."""
        return max(event.attempts for event in self.events)

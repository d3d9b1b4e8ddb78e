"""Records of trends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

EventKind = Literal["start", "peak", "end"]


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend from its start to its end, None while it goes on; ``topic`` is it as it was last seen.

    ``scope`` is '' for the whole stream, else what its tweets have in common, such as ``place:cali``. ``peak_told``
    says that its decline was noticed.
    """

    id: int | None
    scope: str
    key: str
    name: str
    started_at: datetime
    last_seen_at: datetime
    peak_at: datetime
    peak_rate: float
    peak_told: bool
    ended_at: datetime | None
    topic: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrendEvent:
    """A trend started, passed its peak, or ended."""

    kind: EventKind
    at: datetime
    trend: Trend


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its number in the stream of events."""

    seq: int
    at: datetime
    kind: str
    body: dict[str, Any]

"""Part of a timeline, by time or by ids, as X API v2 takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """From ``start`` (or the post after ``since_id``) to ``end`` (or ``until_id``); None leaves a side open."""

    start: datetime | None = None
    end: datetime | None = None
    since_id: int | None = None
    until_id: int | None = None

    def parameters(self) -> Json:
        """Return the query parameters of X. X accepts no ``start_time`` beside a ``since_id``."""
        start = None if self.since_id else self.start
        named = {"start_time": start, "end_time": self.end, "since_id": self.since_id, "until_id": self.until_id}
        return {name: value for name, value in named.items() if value is not None}

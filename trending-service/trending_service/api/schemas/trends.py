"""Wire model of followed trends."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp


class Trend(ResponseModel):
    """A trend from its start to its end."""

    id: Integer
    name: str
    started_at: Timestamp
    last_seen_at: Timestamp
    peak_at: Timestamp
    peak_rate: float = Field(description="Tweets an hour at its peak.")
    ended_at: Timestamp | None = Field(description="null while it goes on.")
    topic: dict[str, Any] = Field(description="As it was last seen, as in /v1/trending/topics without samples.")

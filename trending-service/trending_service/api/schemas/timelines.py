"""Wire models of timelines."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp
from trending_service.topics.model import Step


class Bucket(ResponseModel):
    """One hour or day."""

    at: Timestamp = Field(description="Its beginning.")
    tweets: int = Field(ge=0, description="Tweets with any of the terms.")
    authors: int = Field(ge=0)
    total_tweets: int = Field(ge=0, description="All tweets.")
    share: float | None = Field(description="tweets / total_tweets; null when there was no tweet at all.")


class Timeline(ResponseModel):
    """How often a topic was used, hour by hour or day by day; the last bucket ends with as_of."""

    topic: str
    terms: list[str] = Field(description="The keys that were counted.")
    as_of: Timestamp
    step: Step
    timezone: str = Field(description="Where days begin.")
    buckets: list[Bucket]

"""The wire of hourly counts, authors and earlier versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp
from twitter_service.api.schemas.tweets import TARGETED


class HourlyCount(ResponseModel):
    """Tweets that count for one entity in one hour."""

    hour: Timestamp = Field(description="When it begins; hours of America/Bogota begin where those of UTC do.")
    entity: str
    tweets: Integer
    scored: Integer
    targeted: Integer = TARGETED
    positive: Integer
    neutral: Integer
    negative: Integer
    total_tweets: Integer = Field(description="All stored tweets of that hour, whomever they count for.")
    gap: bool = Field(description="True when no tweet at all is stored of that hour: nothing was observed.")


class ReasonOut(ResponseModel):
    """One signal of an author's credibility."""

    signal: str
    weight: float = Field(description="What it adds to 0.5, or takes.")
    text: str


class AuthorOut(ResponseModel):
    """What is known of an author. Nothing is dropped for a low score; lists can be filtered by it."""

    username: str
    created_at: Timestamp | None
    followers: Integer | None
    following: Integer | None
    tweets: Integer | None = Field(description="Over the account's life, as X counts them.")
    verified: bool | None
    location: str | None
    credibility: float | None = Field(description="In [0.1, 1]; null until it is assessed.")
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a row of the store as it goes over the wire."""
        return cls.model_validate({**row, "credibility": row["score"]})


class EarlierVersion(ResponseModel):
    """A text that an edit has replaced."""

    version_id: str
    created_at: Timestamp
    text: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a row of the store as it goes over the wire."""
        return cls.model_validate({**row, "version_id": str(row["version_id"])})

"""The wire of daily, hourly and total counts."""

from __future__ import annotations

import datetime
from typing import Self

from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp
from twitter_service.api.schemas.fields import Axis
from twitter_service.entities.model import AxesCount, EntityCount

TARGETED = Field(
    description="Of the scored, those that are counted by what they say for or against the entity; the others by the "
    "sentiment of the whole text."
)
MODEL = Field(
    None,
    description="The version of the sentiment model whose answers are counted, '<id>@<version>+rules<version>'; never "
    "of two. Null: not known yet, whatever is stored counts.",
)


class DailyCount(ResponseModel):
    """Tweets that count for one entity on one day of America/Bogota."""

    date: datetime.date
    entity: str
    tweets: Integer
    scored: Integer
    targeted: Integer = TARGETED
    positive: Integer
    neutral: Integer
    negative: Integer
    total_tweets: Integer = Field(description="All stored tweets of that day, whomever they count for.")
    gap: bool = Field(description="True when no tweet at all is stored of that day: nothing was observed.")
    model: str | None = MODEL

    @classmethod
    def of(cls, count: EntityCount) -> Self:
        """Return a count as it goes over the wire."""
        return cls.model_validate({**vars(count), "date": count.start})


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
    model: str | None = MODEL

    @classmethod
    def of(cls, count: EntityCount) -> Self:
        """Return a count as it goes over the wire."""
        return cls.model_validate({**vars(count), "hour": count.start})


class AxisCount(ResponseModel):
    """Tweets on one axis of the Plan Nacional de Desarrollo."""

    axis: Axis
    tweets: Integer
    mentions: Integer = Field(description="All axes that these tweets name: 2 for a tweet that is on two.")


class DailyAxes(ResponseModel):
    """Tweets that count for one entity on one day of America/Bogota, by the axes that they name."""

    date: datetime.date
    entity: str
    tweets: Integer = Field(description="As in counts/daily.")
    with_axis: Integer = Field(description="Of them, those that name an axis. Who names two counts once.")
    gap: bool = Field(description="True when no tweet at all is stored of that day: nothing was observed.")
    axes: list[AxisCount] = Field(description="By slug; an axis that is left out was named by none.")

    @classmethod
    def of(cls, count: AxesCount) -> Self:
        """Return a count as it goes over the wire."""
        return cls.model_validate({**vars(count), "date": count.day}, from_attributes=True)


class TotalCount(ResponseModel):
    """All tweets of a span of days, whomever they count for."""

    tweets: Integer
    scored: Integer
    positive: Integer
    neutral: Integer
    negative: Integer
    models: list[str] = Field(description="Models that scored them, '<id>@<version>'.")

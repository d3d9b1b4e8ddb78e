"""Wire models of the indexes. ICCE and its parts are in points from 0 to 100, shares in [0, 1]."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp


class DayValue(ResponseModel):
    """One day in America/Bogota."""

    date: date
    tweets: int = Field(description="Tweets that count for the entity.")
    gap: bool = Field(description="True when nothing was observed: no tweet of anybody is stored, or none is scored.")
    icce: float | None = Field(description="100 (alpha (isn + 1) / 2 + (1 - alpha) icr); null in a gap.")
    isn: float | None = Field(description="Share of positive less share of negative tweets, in [-1, 1].")
    icr: float | None = Field(description="The entity's share of all tweets of the day, in [0, 1].")
    smoothed: float | None = Field(description="Exponential moving average of icce over observed days.")
    momentum: float | None = Field(description="Change of 'smoothed' since the observed day before, in points.")


class Series(ResponseModel):
    """The index of one entity, day by day."""

    entity: str
    as_of: Timestamp
    icce: float | None = Field(description="Of the last observed day, in points; null when there is none.")
    trend: str = Field(description="up, down or stable: whether 'momentum' of the last day passes one point.")
    days_observed: int
    items: list[DayValue]

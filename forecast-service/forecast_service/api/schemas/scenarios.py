"""Wire models of scenarios. Values are in points from 0 to 100, effects are changes in points."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field

from castor_chassis import Integer, Number, RequestModel, ResponseModel, Timestamp
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.predictions import AS_OF, Day, HorizonDays, Level
from forecast_service.scenarios.model import EventKind


class ScenarioRequest(RequestModel):
    """What is supposed to happen to an entity from the first forecast day on."""

    entity: EntityId
    as_of: Timestamp | None = Field(None, description=AS_OF)
    dataset: DatasetName | None = Field(None, description=DATASET)
    horizon_days: HorizonDays = 14
    level: Level = 0.8
    sentiment_shift: Annotated[Number, Field(ge=-1, le=1)] = Field(0.0, description="Added to ISN, in [-1, 1].")
    volume_change: Annotated[Number, Field(ge=-0.9, le=9)] = Field(
        0.0,
        description="Change of the tweets about the entity, those of others as before: 0.5 is half as many more.",
    )
    days: Annotated[Integer, Field(ge=1, le=30)] = Field(
        1, description="Days that the shift is held; then it fades as past surprises did."
    )
    event: EventKind = Field("other", description="Kind of event, for the predecessor's rule.")
    event_days: list[Day] = Field(
        [],
        max_length=50,
        description="Past days of such events: what they brought beyond what was expected is drawn and added to the "
        "shift. At least 3 of them need an index.",
    )


class Spread(ResponseModel):
    """Median and interval."""

    value: float
    low: float
    high: float


class ScenarioPoint(ResponseModel):
    """One day."""

    date: datetime.date
    baseline: Spread = Field(description="ICCE without the shift.")
    scenario: Spread = Field(description="ICCE with it.")
    effect: Spread = Field(description="Difference of both on the same simulated path.")


class PredecessorRule(ResponseModel):
    """What the platform that CASTOR replaces answered: ICCE multiplier(event) + 40 sentiment_shift on the last ICCE."""

    multiplier: float = Field(description="0.15 announcement, 0.25 debate, -0.3 crisis, 0.2 positive_news, 0.1 other.")
    impact: float
    simulated: float = Field(description="Cut at 0 and 100.")
    impact_percent: float | None = Field(description="Of the last ICCE; null where that is 0.")


class ScenarioAnswer(ResponseModel):
    """A scenario as a distribution: 2,000 paths of a model of sentiment and volume together."""

    entity: str
    dataset: str | None
    as_of: Timestamp
    icce: float = Field(description="Of the last day that has one.")
    last_observed: datetime.date = Field(description="The first point is the day after.")
    data_age_days: int
    level: float
    trained_days: int = Field(description="Days since the last gap of more than a week, from which the model is.")
    half_life_days: float | None = Field(description="Days in which an effect halves; null where it does not fade.")
    points: list[ScenarioPoint]
    predecessor: PredecessorRule = Field(description="For comparison; it has no interval and no source.")
    notes: list[Literal["assumption_not_forecast", "conversation_is_not_votes", "shift_was_cut"]] = Field(
        description="assumption_not_forecast: the shift is the caller's, and that the past reacted so shows no cause; "
        "shift_was_cut: ISN would have passed -1 or 1; conversation_is_not_votes."
    )

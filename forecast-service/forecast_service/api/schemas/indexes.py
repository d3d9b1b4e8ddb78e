"""Wire models of the indexes. ICCE and its parts are in points from 0 to 100, shares in [0, 1]."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from castor_chassis import Composed, ComposedText, Number, Pattern, RequestModel, ResponseModel, Timestamp

Trend = Literal["up", "down", "stable"]
JudgedTowards = Annotated[
    int,
    Field(description="Tweets that were judged by what they say for or against the entity."),
]
JudgedByText = Annotated[
    int,
    Field(description="Tweets of which only the text as a whole was judged, which need not be about the entity."),
]


class DayValue(ResponseModel):
    """One day in America/Bogota."""

    date: date
    tweets: int = Field(description="Tweets that count for the entity.")
    gap: bool = Field(description="True when nothing was observed: no tweet of anybody is stored, or none is scored.")
    silent: bool = Field(False, description="True when tweets of others are stored and none of the entity: no index.")
    icce: float | None = Field(
        description="100 (alpha (isn + 1) / 2 + (1 - alpha) icr), in points; null in a gap and on a silent day."
    )
    isn: float | None = Field(description="Share of positive less share of negative tweets, in [-1, 1].")
    icr: float | None = Field(description="The entity's share of all tweets of the day, in [0, 1].")
    smoothed: float | None = Field(
        description="Exponential moving average of icce over the days that have one, in points; weight 0.3 by default."
    )
    momentum: float | None = Field(description="Change of 'smoothed' since the day before that has one, in points.")
    sampling_error: float | None = Field(
        None, description="Standard error of icce from the number of tweets, in points; tweets taken as independent."
    )
    low: float | None = Field(None, description="Lower end of the 95 % band that sampling_error gives, in points.")
    high: float | None = Field(None, description="Upper end of that band, in points.")
    alpha_low: float | None = Field(
        None, description="The lower of the icce with alpha 0.25 and with alpha 0.75: what another weight would say."
    )
    alpha_high: float | None = Field(None, description="The higher of these two, in points.")
    judged_towards: JudgedTowards = 0
    judged_by_text: JudgedByText = 0


class SpanValue(ResponseModel):
    """The index of all tweets of several days together: each tweet weighs the same, on whichever day it was written."""

    tweets: int = Field(description="Tweets that count for the entity.")
    icce: float = Field(description="As of a day, in points.")
    isn: float = Field(description="Share of positive less share of negative tweets, in [-1, 1].")
    icr: float = Field(description="The entity's share of all tweets of these days, in [0, 1].")
    low: float = Field(description="Lower end of the 95 % band that the number of tweets gives, in points.")
    high: float = Field(description="Upper end of that band, in points.")
    judged_towards: JudgedTowards = 0
    judged_by_text: JudgedByText = 0


class Series(ResponseModel):
    """The index of one entity, day by day."""

    entity: str
    as_of: Timestamp
    icce: float | None = Field(description="Of the last day that has one, in points; null when there is none.")
    trend: str = Field(description="up, down or stable: whether 'momentum' of the last day passes one point.")
    days_observed: int = Field(description="Days that have an index.")
    days_missing: int = Field(0, description="Days in 'items' that are gaps; days before the first tweet are left out.")
    days_silent: int = Field(0, description="Days on which nobody spoke of the entity.")
    tweets: int = Field(0, description="Tweets that count for the entity, over all days.")
    judged_towards: JudgedTowards = 0
    judged_by_text: JudgedByText = 0
    data_age_days: int = Field(0, description="Days from the last day that has an index to the last whole day.")
    span: SpanValue | None = Field(None, description="Of all days of 'items' together; null when none has an index.")
    items: list[DayValue]


class Momentum(ResponseModel):
    """The momentum of the last day that has an index: MEC = S_t - S_(t-1), S smoothed with the weight 0.3."""

    entity: str
    as_of: Timestamp
    date: date
    smoothed: float = Field(description="S_t, in points.")
    momentum: float = Field(description="S_t - S_(t-1), in points.")
    error: float = Field(description="Standard error of momentum from the numbers of tweets of its days, in points.")
    trend: Trend = Field(description="up above one point, down below minus one point, else stable.")
    certain: bool = Field(description="Whether momentum is more than 1.96 errors from 0.")
    days_observed: int
    data_age_days: int = Field(description="Days from 'date' to the last whole day before as_of.")


class Event(ResponseModel):
    """A day on which people talk for a known reason."""

    date: date
    name: str = Field(description="In Spanish.")
    kind: Literal["election", "holiday"]


class ChangeTopic(ResponseModel):
    """What was trending among the entity's tweets, as trending-service found it."""

    id: str = Field(description="For /v1/trending/topics/{topic_id}.")
    topic: str
    tweets: int = Field(description="Tweets of the entity with it, in the 24 hours of the change's day.")
    authors: int = Field(description="Accounts that wrote them.")
    share_change: float = Field(description="tweets / those that the weeks before lead to expect.")
    why: str = Field(description="One sentence with the numbers, in Spanish.")


class Change(ResponseModel):
    """A day from which on the index stood at another level. Values are in points."""

    date: date
    before: float = Field(description="Mean of the level before, without the rhythm of the week.")
    after: float = Field(description="Mean from this day on, up to the next change.")
    change: float
    low: float = Field(description="Lower end of the 95 % band of 'change'.")
    high: float = Field(description="Upper end of that band.")
    events: list[Event] = Field(description="Elections and holidays of Colombia within two days.")
    trending: str = Field(description="Path that asks what was trending among the entity's tweets of that day.")
    topics: list[ChangeTopic] | None = Field(
        None,
        description="What was trending that day among the entity's tweets, strongest first; empty where nothing was. "
        "Null where it is not known: beyond the five newest changes, for callers without trends:read, and where "
        "'degraded' of 'meta' names 'trending', because trending-service did not answer or has not seen that day's "
        "tweets yet.",
    )


class Changes(ResponseModel):
    """The change points of an index; a level lasts a week at least."""

    entity: str
    as_of: Timestamp
    days_observed: int
    data_age_days: int = Field(description="Days from the last day that has an index to the last whole day.")
    items: list[Change] = Field(description="Oldest first; empty where the index kept its level.")


class Voice(ResponseModel):
    """One entity's share."""

    entity: str
    tweets: int
    share: float = Field(description="Its tweets over those of all tracked entities, in [0, 1].")
    low: float = Field(description="Lower end of the 95 % band of sampling.")
    high: float = Field(description="Upper end of the 95 % band of sampling.")


class ShareOfVoice(ResponseModel):
    """The shares of all tracked entities; they sum to 1. A tweet that counts for two entities is counted for each."""

    since: date
    until: date
    days_missing: int = Field(description="Days of the span without any stored tweet.")
    tweets: int
    items: list[Voice]


class Topic(ResponseModel):
    """An entity's tweets on one axis of the Plan Nacional de Desarrollo."""

    axis: str = Field(description="Slug, such as 'salud' or 'economia'.")
    tweets: int = Field(description="A tweet on two axes counts for both.")
    share: float = Field(description="Its tweets over the sum of those of all axes, in [0, 1].")
    sampling_error: float = Field(
        description="Standard error of 'share' from the number of tweets, which are taken as independent."
    )
    low: float = Field(description="Lower end of the 95 % band that sampling_error gives.")
    high: float = Field(description="Upper end of that band.")


class TopicFocus(ResponseModel):
    """What an entity's tweets are about: shares of the axes that they name, which add up to 1."""

    entity: str
    as_of: Timestamp
    since: date
    until: date
    days_missing: int = Field(description="Days of the span without any stored tweet.")
    tweets: int = Field(description="Tweets that count for the entity.")
    tweets_on_topics: int = Field(description="Of them, those that name an axis; the shares rest on these.")
    items: list[Topic] = Field(description="The largest first; an axis that is left out was named by none.")


Probability = Annotated[Number, Field(ge=0, le=1)]


class ScoredText(RequestModel):
    """A text and what a sentiment model says of it."""

    text: Annotated[ComposedText, StringConstraints(max_length=5000)]
    positive: Probability
    negative: Probability


NAMED = Pattern(r"^[^\x00]*[A-Za-z][^\x00]*$", "must have a letter of A to Z, and no null character")


class NarrativeRequest(RequestModel):
    """Scored texts of a conversation, and the candidate whose part in it is wanted."""

    name: Annotated[str, StringConstraints(max_length=100), NAMED, Composed] = Field(
        description="The candidate's full name."
    )
    texts: list[ScoredText] = Field(min_length=1, max_length=5000)


class Narrative(ResponseModel):
    """The narrative indexes of the posted texts. No study has shown that they follow votes."""

    texts: int
    comparisons: int = Field(description="Texts that compare and name the candidate in full; cp is 0.5 without any.")
    sve: float = Field(description="Share of texts with a word of the name of more than three letters, in [0, 1].")
    sna: float = Field(description="Mean of positive - negative, in [-1, 1].")
    cp: float = Field(description="Share of the comparisons that favour the candidate, in [0, 1].")
    nmi: float = Field(
        description="Mean of the positive of texts of hope less the negative of texts of anger, [-1, 1]."
    )
    ivn: float = Field(description="0.4 sve + 0.3 (sna + 1) / 2 + 0.2 cp + 0.1 (nmi + 1) / 2, in [0, 1].")
    low: float = Field(description="Lower end of the 95 % band of ivn that the number of texts gives.")
    high: float = Field(description="Upper end of that band.")
    band: Literal["dominant", "competitive", "neutral", "losing", "crisis"] = Field(
        description="ivn from 0.8, from 0.6, from 0.4, from 0.2, and below."
    )


class Week(ResponseModel):
    """An entity in seven days of America/Bogota."""

    tweets: int = Field(description="Tweets that count for the entity.")
    scored: int = Field(description="Of them, those with a sentiment; the index rests on these.")
    positive: int
    negative: int
    judged_towards: JudgedTowards = 0
    judged_by_text: JudgedByText = 0
    share_of_voice: float | None = Field(
        description="tweets / tweets of all tracked entities in the week, in [0, 1]; null when nobody spoke of any."
    )
    share_low: float | None = Field(description="Lower end of its 95 % band.")
    share_high: float | None = Field(description="Upper end of its 95 % band.")
    isn: float | None = Field(description="(positive - negative) / scored, in [-1, 1]; null without a scored tweet.")
    icce: float | None = Field(
        description="The index of the week's sums, in points; null without a scored tweet: silence has no index."
    )
    low: float | None = Field(description="Lower end of the 95 % band of icce, in points.")
    high: float | None = Field(description="Upper end of the 95 % band of icce, in points.")
    note: Literal["silent", "few_tweets"] | None = Field(
        description="silent: no scored tweet; few_tweets: fewer than 30 of them, so that one tweet moves the index."
    )


class EntityWeeks(ResponseModel):
    """An entity this week and the week before."""

    entity: str
    now: Week
    before: Week
    change: float | None = Field(description="icce now - before, in points; null where one of them is null.")
    change_low: float | None = Field(description="Lower end of the 95 % band of change.")
    change_high: float | None = Field(description="Upper end of the 95 % band of change.")
    certain: bool = Field(description="Whether the change is larger than sampling explains, at 95 %.")


class Weeks(ResponseModel):
    """A week against the week before, for each tracked entity, that with the most tweets this week first."""

    as_of: Timestamp
    since: date = Field(description="First day of this week, in America/Bogota.")
    until: date = Field(description="Last day of this week, the last whole day before as_of.")
    total_tweets: int = Field(description="All stored tweets of this week, whomever they count for.")
    total_tweets_before: int = Field(description="Those of the week before.")
    items: list[EntityWeeks]

"""Wire models of trending-service: the source of its contract."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field

from castor_chassis import Integer, ResponseModel, Timestamp
from trending_service.text.terms import MAX_TERM_CHARS, Kind

AsOf = Annotated[
    Timestamp | None,
    Query(
        description="Answer as if it were this moment; now by default. Later tweets are not seen. A moment outside "
        "2006 to 2100 is moved to the edge; the answer says which one was used."
    ),
]
TopicPath = Annotated[str, Path(min_length=1, max_length=MAX_TERM_CHARS, description="A topic; '#' is sent as %23.")]
MoreTerms = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_TERM_CHARS)]],
    Query(
        default_factory=list,
        max_length=50,
        description="Further terms of the topic ('terms' of a topic): a tweet with any counts once.",
    ),
]
Step = Literal["hour", "day"]


class SentimentShares(ResponseModel):
    """Shares of the scored tweets; they add up to 1."""

    positive: float = Field(ge=0, le=1)
    neutral: float = Field(ge=0, le=1)
    negative: float = Field(ge=0, le=1)


class Topic(ResponseModel):
    """Something that is talked about more than it was before."""

    topic: str = Field(description="The most informative of its terms, in its most frequent spelling.")
    kind: Kind
    terms: list[str] = Field(description="All its terms, strongest first; a tweet with any of them counts once.")
    tweets: int = Field(ge=1, description="Tweets in the window; texts that differ by nothing of note count once.")
    authors: int = Field(ge=1, description="Accounts that wrote them.")
    expected: float = Field(ge=0, description="Tweets that the baseline leads to expect in a stream of this size.")
    share_change: float = Field(ge=0, description="tweets / expected: how its share of the stream changed.")
    score: float = Field(
        ge=0,
        description="-log10 of the chance of so many tweets if nothing had happened: the upper tail of a negative "
        "binomial around 'expected', its count damped when fewer accounts than usual wrote it (after Gnip's Poisson "
        "trend detection, 2015). Only terms that pass Benjamini-Hochberg over all terms of the window are listed.",
    )
    first_seen_at: Timestamp = Field(description="Its first tweet in the window.")
    peak_at: Timestamp = Field(description="Beginning of the hour with most of its tweets.")
    sentiment: SentimentShares | None = Field(description="Of its scored tweets; null while none is scored.")
    scored: int = Field(ge=0, description="Its tweets that have a sentiment.")
    why: str = Field(description="One sentence with the numbers.")
    sample_tweet_ids: list[str] = Field(description="Up to five tweets that hold most of its terms.")


class Topics(ResponseModel):
    """The topics of one window with what was asked and looked at."""

    items: list[Topic]
    as_of: Timestamp
    window_hours: int
    baseline_days: int
    tweets_in_window: int = Field(description="All tweets of the window, near-duplicates too.")
    tweets_in_baseline: int
    terms_tested: int
    degraded: list[str] | None = None


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


class Status(ResponseModel):
    """How far this service has followed the feed of tweets."""

    tweets: Integer
    cursor: str = Field(description="Position in the feed of twitter-service.")
    lag_seconds: float | None = Field(description="Since the end of the feed was last reached; null: never yet.")
    oldest_tweet_at: Timestamp | None
    newest_tweet_at: Timestamp | None

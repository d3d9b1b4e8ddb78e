"""Wire models of topics."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp
from trending_service.api.schemas.timelines import Bucket
from trending_service.text.terms import Kind, WordKind
from trending_service.topics.model import Past


class SentimentShares(ResponseModel):
    """Shares of the scored tweets; they add up to 1."""

    positive: float = Field(ge=0, le=1)
    neutral: float = Field(ge=0, le=1)
    negative: float = Field(ge=0, le=1)


class Together(ResponseModel):
    """All terms of a topic together; every other number of a topic is that of its name alone."""

    terms: list[str] = Field(description="Strongest first.")
    tweets: int = Field(ge=1, description="Tweets with any of the terms.")
    authors: int = Field(ge=1)


class Pushed(ResponseModel):
    """The part of accounts suspected of coordination, and what the topic would be without them."""

    accounts: int = Field(ge=0, description="Suspected accounts that wrote it; see /v1/trending/coordination.")
    tweets: int = Field(ge=0, description="Their tweets.")
    share: float = Field(ge=0, le=1, description="Their share of its tweets.")
    tweets_without: int = Field(ge=0)
    authors_without: int = Field(ge=0)
    score_without: float = Field(ge=0, description="The score without their tweets; 0: it would be no topic.")


class Sample(ResponseModel):
    """A tweet of a topic."""

    id: str
    username: str
    created_at: Timestamp


class Topic(ResponseModel):
    """Something that is talked about more than it was before. The numbers are those of its name, ``topic``."""

    id: str = Field(description="For /v1/trending/topics/{topic_id}; it names the moment too.")
    topic: str = Field(description="The most informative of its terms, in its most frequent spelling.")
    kind: WordKind = Field(description="A phrase is also what 'signal' names entity, link or domain.")
    signal: Kind = Field(description="What its name is.")
    terms: list[str] = Field(description="All its terms, strongest first.")
    keys: list[str] = Field(
        [], description="How the terms are stored, in their order: what 'term' of a timeline names without doubt."
    )
    tweets: int = Field(ge=1, description="Tweets in the window; texts that differ by nothing of note count once.")
    authors: int = Field(ge=1, description="Accounts that wrote them.")
    expected: float = Field(ge=0, description="Tweets that the baseline leads to expect in a stream of this size.")
    share_change: float = Field(ge=0, description="tweets / expected: how its share of the stream changed.")
    score: float = Field(
        ge=0,
        description="-log10 of a bound of how often a day chance would show so much, at the strongest of several time "
        "scales that end with as_of: the upper tail of a negative binomial around the expected count, the count damped "
        "when fewer accounts than usual wrote it. Only terms that pass Benjamini-Hochberg over all terms of the "
        "window are listed.",
    )
    tweets_per_hour: float = Field(ge=0, description="Velocity: its tweets an hour over rising_minutes.")
    rising_minutes: int = Field(ge=1, description="Length of the time scale at which it is strongest.")
    started_at: Timestamp = Field(description="Its first tweet within rising_minutes.")
    first_seen_at: Timestamp = Field(description="Its first tweet in the window.")
    peak_at: Timestamp = Field(description="Beginning of the hour with most of its tweets.")
    of_peak: float = Field(
        ge=0, le=1, description="Tweets of the last half hour as a share of its strongest: 1 at the peak, 0 when over."
    )
    past: Past = Field(
        description="novel: not seen in the baseline; evergreen: on at least half of its days; else recurring."
    )
    sentiment: SentimentShares | None = Field(description="Of its scored tweets; null while none is scored.")
    scored: int = Field(ge=0, description="Its tweets that have a sentiment.")
    why: str = Field(description="One sentence with the numbers.")
    sample_tweet_ids: list[str] = Field(description="The ids of the samples.")
    samples: list[Sample] = Field(description="Up to five tweets, of different accounts first.")
    cluster: Together
    coordination: Pushed


class TopicDetail(ResponseModel):
    """A topic with its hours."""

    topic: Topic
    timezone: str
    buckets: list[Bucket] = Field(description="The 48 hours up to the moment of the topic.")


class BestTopic(ResponseModel):
    """A topic that is worth speaking about."""

    topic: Topic
    pick: float = Field(ge=0, description="tweets x (positive + 0.5 neutral), without suspected accounts' tweets.")

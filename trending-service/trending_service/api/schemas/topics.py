"""Wire models of topics."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp
from trending_service.text.terms import Kind


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

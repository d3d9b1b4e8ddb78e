"""Client of twitter-service: the feed of tweets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from castor_chassis import FeedReader, feed_operation

Label = Literal["positive", "neutral", "negative"]


class Sentiment(BaseModel):
    """The score of a tweet, as far as it is used here."""

    label: Label


class TweetChange(BaseModel):
    """A tweet as it is after a change; of a deleted one only the id is sure."""

    id: str
    username: str = ""
    created_at: datetime | None = None
    text: str = ""
    deleted: bool = False
    sentiment: Sentiment | None = None
    entities: list[str] = []
    axes: list[str] = []
    places: list[str] = []
    datasets: list[str] = []
    retweet_of: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the tweet can be filtered by, sorted: ``axis:…``, ``dataset:…``, ``entity:…``, ``place:…``."""
        named = (
            ("axis", self.axes), ("dataset", self.datasets), ("entity", self.entities), ("place", self.places),
        )  # fmt: skip
        return tuple(sorted(f"{kind}:{name}" for kind, names in named for name in set(names)))

    @property
    def label(self) -> Label | None:
        """The tweet's label, None until it is scored."""
        return self.sentiment.label if self.sentiment else None


FEED_PATH = "/v1/twitter/tweets/feed"
OPERATIONS = (feed_operation(FEED_PATH, TweetChange),)
TwitterFeed = FeedReader[TweetChange]
"""Has no fallback: while twitter-service is away, topics are those of the last page."""

"""Client of twitter-service: the feed of tweets."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from castor_chassis import FeedReader, feed_operation


class Sentiment(BaseModel):
    """The scores of a tweet, made by sentiment-service."""

    positive: float
    neutral: float
    negative: float
    label: str
    model: str | None = None


class TweetChange(BaseModel):
    """A tweet as it is after a change, as far as it is used here."""

    id: str
    username: str = ""
    created_at: datetime
    text: str | None = None
    entities: list[str] = []
    axes: list[str] = []
    places: list[str] = []
    datasets: list[str] = []
    conversation_id: str | None = None
    reply_to: str | None = None
    reply_to_username: str | None = None
    lang: str | None = None
    deleted: bool = False
    sentiment: Sentiment | None = None


FEED_PATH = "/v1/twitter/tweets/feed"
OPERATIONS = (feed_operation(FEED_PATH, TweetChange),)
TwitterFeed = FeedReader[TweetChange]
"""Has no fallback: what cannot be read now is read later, from the same cursor."""

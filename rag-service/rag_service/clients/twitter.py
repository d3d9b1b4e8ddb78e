"""The tweet feed of twitter-service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from castor_chassis import FeedReader, feed_operation
from rag_service.documents.model import TWEET_PREFIX, TWEET_SOURCE, Draft

FEED_PATH = "/v1/twitter/tweets/feed"


class Sentiment(BaseModel):
    """What sentiment-service said of a tweet."""

    positive: float
    neutral: float
    negative: float
    label: str
    model: str | None = None


class FeedTweet(BaseModel):
    """A change of a tweet, as far as it is used here."""

    id: str
    username: str = ""
    created_at: datetime
    text: str | None = None
    entities: list[str] = []
    lang: str | None = None
    deleted: bool = False
    sentiment: Sentiment | None = None

    def draft(self) -> Draft:
        """Return the document that this tweet is; its sentiment is metadata and needs no new embedding."""
        metadata: dict[str, Any] = {} if self.sentiment is None else self.sentiment.model_dump(exclude_none=True)
        if self.lang is not None:
            metadata["lang"] = self.lang
        return Draft(
            id=TWEET_PREFIX + self.id,
            text=self.text or "",
            source=TWEET_SOURCE,
            published_at=self.created_at,
            url=f"https://x.com/{self.username or 'i'}/status/{self.id}",
            author=self.username or None,
            entities=self.entities,
            metadata=metadata,
        )


OPERATIONS = (feed_operation(FEED_PATH, FeedTweet),)
TwitterFeed = FeedReader[FeedTweet]
"""Has no fallback: what cannot be read now is read later, from the same cursor."""

"""The tweet feed of twitter-service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from castor_chassis.client.operation import Operation
from castor_chassis.client.peer import Peer
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


class FeedAnswer(BaseModel):
    """The data of a page."""

    items: list[FeedTweet]


OPERATIONS = (Operation("GET", FEED_PATH, sends=("after", "limit", "wait"), reads=FeedAnswer),)


@dataclass(frozen=True, slots=True)
class TweetPage:
    """One page of the feed, oldest change first."""

    items: list[FeedTweet]
    next_cursor: str


class TwitterClient:
    """Reads the feed. No fallback: what cannot be read now is read later, from the same cursor."""

    def __init__(self, peer: Peer, *, page_size: int, wait_seconds: float) -> None:
        self._peer = peer
        self._page_size = page_size
        self._wait = wait_seconds

    async def page(self, cursor: str) -> TweetPage:
        """Return what follows ``cursor``; waits for news at the end of the feed. Raises ``PeerError``."""
        params = {"after": cursor, "limit": self._page_size, "wait": f"{self._wait:g}"}
        reply = await self._peer.get(FEED_PATH, params=params, timeout_seconds=self._wait + 5)
        answer = FeedAnswer.model_validate(reply.data)
        return TweetPage(answer.items, str(reply.meta.get("next_cursor") or cursor))

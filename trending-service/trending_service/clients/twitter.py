"""The feed of twitter-service."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from castor_chassis import Peer
from castor_chassis.client.operation import Operation

Label = Literal["positive", "neutral", "negative"]


class Sentiment(BaseModel):
    """The score of a tweet, as far as it is used here."""

    label: Label


class Change(BaseModel):
    """A tweet as it is after a change; of a deleted one only the id is sure."""

    id: str
    username: str = ""
    created_at: datetime | None = None
    text: str = ""
    deleted: bool = False
    sentiment: Sentiment | None = None

    @property
    def label(self) -> Label | None:
        """The tweet's label, None until it is scored."""
        return self.sentiment.label if self.sentiment else None


class FeedAnswer(BaseModel):
    """One page of the feed, oldest change first."""

    items: list[Change]
    next_cursor: str
    at_end: bool = False


class FeedItems(BaseModel):
    """The part of a page that stands under ``data``."""

    items: list[Change]


OPERATIONS = (Operation("GET", "/v1/twitter/tweets/feed", ("after", "limit", "wait"), FeedItems),)


class TwitterClient:
    """Reads the feed; has no fallback: while twitter-service is away, topics are those of the last page."""

    def __init__(self, peer: Peer, *, page_size: int, wait_seconds: float) -> None:
        self._peer = peer
        self._page_size = page_size
        self._wait_seconds = wait_seconds

    async def feed(self, after: str) -> FeedAnswer:
        """Return the changes after a cursor, waiting up to ``wait_seconds`` for the first one."""
        reply = await self._peer.get(
            OPERATIONS[0].path,
            params={"after": after, "limit": self._page_size, "wait": f"{self._wait_seconds:g}"},
            timeout_seconds=self._wait_seconds + 5,
        )
        meta = {
            "next_cursor": reply.meta.get("next_cursor") or after,
            "at_end": reply.meta.get("at_end", False),
        }
        return FeedAnswer.model_validate({"items": reply.data["items"], **meta})

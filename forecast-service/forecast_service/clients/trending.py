"""Client of trending-service: what was trending at a moment."""

from __future__ import annotations

from datetime import datetime

import structlog
from pydantic import BaseModel, ValidationError

from castor_chassis import Peer, PeerError, normal_time
from castor_chassis.client.operation import Operation
from castor_chassis.wire.errors import DeadlineExceeded

TOPICS = "/v1/trending/topics"
WINDOW_HOURS = 24
MOST_TOPICS = 3
log = structlog.get_logger("castor.forecast.trending")


class TrendingTopic(BaseModel):
    """What is used of a topic; ``share_change`` is its tweets over those that its baseline led to expect."""

    id: str
    topic: str
    tweets: int
    authors: int
    share_change: float
    why: str


class TrendingTopics(BaseModel):
    """Topics, strongest first."""

    items: list[TrendingTopic]


OPERATIONS = (Operation("GET", TOPICS, ("entity", "dataset", "as_of", "window_hours", "limit"), TrendingTopics),)


class TrendingClient:
    """Asks for topics. The fallback is None: the answer goes without them, and says so."""

    def __init__(self, peer: Peer, *, timeout_seconds: float) -> None:
        self._peer = peer
        self._timeout = timeout_seconds

    async def topics(self, entity: str, as_of: datetime, dataset: str | None) -> list[TrendingTopic] | None:
        """Return up to ``MOST_TOPICS`` topics among an entity's tweets of the ``WINDOW_HOURS`` before ``as_of``.

        None when they are not known: trending-service does not answer, or has no tweet of the entity then, because it
        has not followed the feed so far.
        """
        asked = {"entity": entity, "dataset": dataset, "as_of": normal_time(as_of)}
        asked |= {"window_hours": str(WINDOW_HOURS), "limit": str(MOST_TOPICS)}
        try:
            reply = await self._peer.get(TOPICS, params=asked, timeout_seconds=self._timeout)
            found = TrendingTopics.model_validate(reply.data)
        except (PeerError, DeadlineExceeded, ValidationError) as error:
            log.warning("topics_not_known", reason=str(error))
            return None
        return found.items if reply.meta.get("tweets_in_window") else None

"""How far the feed of tweets is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from trending_service.ingest.model import FeedStatus
from trending_service.signals.feed_repository import FeedRepository


@dataclass(frozen=True, slots=True)
class IngestService:
    """Reports on the feed."""

    feed: FeedRepository

    async def status(self) -> FeedStatus:
        """Return the position in the feed, its lag, and the span of the stored tweets."""
        state = await self.feed.state()
        oldest, newest = await self.feed.extent()
        lag = None if state.caught_up_at is None else (datetime.now(UTC) - state.caught_up_at).total_seconds()
        return FeedStatus(
            tweets=state.tweets,
            cursor=str(state.cursor),
            lag_seconds=None if lag is None else max(0.0, round(lag, 1)),
            oldest_tweet_at=oldest,
            newest_tweet_at=newest,
        )

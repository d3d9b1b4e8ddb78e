"""What callers may ask about scoring."""

from __future__ import annotations

from dataclasses import dataclass

from twitter_service.scoring.target_repository import TargetRepository
from twitter_service.tweets.feed_repository import FeedRepository, FeedState


@dataclass(frozen=True)
class Progress:
    """Totals of the feed, and how many pairs of a tweet and an entity wait to be judged."""

    feed: FeedState
    targets_pending: int


class ScoringService:
    """Says how far scoring is."""

    def __init__(self, feed: FeedRepository, targets: TargetRepository) -> None:
        self._feed = feed
        self._targets = targets

    async def progress(self) -> Progress:
        """Return how far scoring is."""
        return Progress(await self._feed.state(), await self._targets.count_pending())

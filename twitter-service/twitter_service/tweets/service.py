"""What callers may do with stored tweets besides reading them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twitter_service.tweets.model import MAX_ID
from twitter_service.tweets.repository import TweetRepository


class TweetService:
    """Erases tweets; ``on_change`` is called after a change of the feed."""

    def __init__(self, tweets: TweetRepository, on_change: Callable[[], None]) -> None:
        self._tweets = tweets
        self._on_change = on_change

    async def erase(self, tweet_ids: Sequence[str]) -> tuple[list[str], list[str]]:
        """Erase tweets; return the ids that were stored and those that were not, or were erased already."""
        erased = await self._tweets.erase([int(key) for key in tweet_ids if int(key) <= MAX_ID])
        self._on_change()
        known = set(erased)
        return [str(key) for key in erased], [key for key in tweet_ids if int(key) not in known]

"""Stores tweets with the entities that they count for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from twitter_service.entities.repository import EntityRepository
from twitter_service.matching.entities import Matcher
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet
from twitter_service.tweets.repository import TweetRepository, Within
from twitter_service.tweets.upsert_repository import Added

T = TypeVar("T")


class InThread(Protocol):
    """Runs CPU work off the event loop."""

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        """Return what ``function(*args)`` returns."""


class TweetWriter:
    """Matches tweets with the tracked entities and stores them; ``on_stored`` is called after each batch."""

    def __init__(
        self,
        tweets: TweetRepository,
        entities: EntityRepository,
        in_thread: InThread,
        on_stored: Callable[[], None],
    ) -> None:
        self._tweets = tweets
        self._entities = entities
        self._in_thread = in_thread
        self._on_stored = on_stored
        self._matcher: tuple[int, Matcher] | None = None

    async def matcher(self) -> tuple[int, Matcher]:
        """Return the revision of the entities and their matcher, as last seen; ``store`` notices a newer one."""
        self._matcher = self._matcher or await self._entities.matcher()
        return self._matcher

    async def refresh(self) -> None:
        """Read the entities again."""
        self._matcher = await self._entities.matcher()

    async def match(self, tweets: Sequence[NewTweet]) -> Batch:
        """Return the tweets with the entities that they count for."""
        revision, matcher = await self.matcher()
        return await self._in_thread(Batch.of, tweets, matcher, revision)

    async def store(self, batch: Batch, source: str, within: Within | None = None) -> tuple[Added, Batch]:
        """Store a batch under the id of the import or search that brought it; see ``TweetRepository.add``.

        Returns what was added, and the batch as it was stored: matched again where the entities had changed.
        """
        while (added := await self._tweets.add(batch, source, within)) is None:
            await self.refresh()
            revision, matcher = await self.matcher()
            batch = await self._in_thread(batch.tagged_again, matcher, revision)
        self._on_stored()
        return added, batch

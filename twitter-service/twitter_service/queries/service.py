"""Queries: pages of tweets, authors, and counts by days of America/Bogota."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from castor_chassis import DAYS_OF
from twitter_service.datasets.repository import DatasetRepository
from twitter_service.entities.counts_repository import CountsRepository
from twitter_service.entities.model import AxesCount, EntityCount, TotalCount
from twitter_service.entities.repository import EntityRepository
from twitter_service.errors import AuthorNotFound, PlaceNotFound, TweetNotFound
from twitter_service.matching.axes import AXES
from twitter_service.matching.places import CITIES, DEPARTMENTS
from twitter_service.tweets.author_repository import AuthorRepository
from twitter_service.tweets.model import MAX_ID
from twitter_service.tweets.records import AuthorRecord, StoredTweet, TweetFilter, TweetVersion
from twitter_service.tweets.repository import TweetRepository

Counted = TypeVar("Counted")
FIRST_DAY = date(2006, 3, 21)
"""Day of the first tweet ever; nothing is counted before."""
# The zone's offset would lead out of the calendar at its ends.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class CountFilter:
    """Which counts are asked for: of one entity or all, by days of Bogota; ``cursor`` is the day to go on from."""

    dataset: str | None
    entity: str | None
    since: date | None
    until: date | None
    as_of: datetime | None
    limit: int
    cursor: date | None


class QueryService:
    """What callers read besides the feed."""

    def __init__(
        self,
        tweets: TweetRepository,
        entities: EntityRepository,
        counts: CountsRepository,
        authors: AuthorRepository,
        datasets: DatasetRepository,
    ) -> None:
        self._tweets = tweets
        self._entities = entities
        self._counts = counts
        self._authors = authors
        self._datasets = datasets

    async def tweet(self, tweet_id: str) -> StoredTweet:
        """Return one tweet; raises ``TweetNotFound``."""
        number = int(tweet_id)
        found = await self._tweets.get(number) if number <= MAX_ID else None
        if found is None:
            raise TweetNotFound(tweet_id=tweet_id)
        return found

    async def versions(self, tweet_id: str) -> list[TweetVersion]:
        """Return the texts that edits of a tweet have replaced, oldest first; raises ``TweetNotFound``."""
        return await self._tweets.versions((await self.tweet(tweet_id)).id)

    async def author(self, username: str) -> AuthorRecord:
        """Return what is known of an author; raises ``AuthorNotFound``."""
        name = username.removeprefix("@")
        found = await self._authors.get(name)
        if found is None:
            raise AuthorNotFound(username=name)
        return found

    async def tweets(self, filters: TweetFilter) -> list[StoredTweet]:
        """Return tweets, newest first.

        Raises ``EntityNotFound``, ``DatasetNotFound`` or ``PlaceNotFound``.
        """
        await self._datasets.check(filters.dataset)
        if filters.place not in (None, *DEPARTMENTS, *CITIES):
            raise PlaceNotFound(place=filters.place)
        if filters.entity is not None:
            await self._entities.get(filters.entity)
        return await self._tweets.find(filters)

    async def counts(self, filters: CountFilter, *, by_hour: bool = False) -> tuple[list[EntityCount], date | None]:
        """Return counts by day (or hour) and entity from ``since`` to ``until`` inclusive, and the day to go on from.

        By default from the first to the last stored day up to ``as_of``; no day after that of ``as_of`` (without
        one: after today or the last tweet) is given, because it has not been observed.
        """
        if by_hour:
            return await self._page(filters, self._counts.hourly, a_day=24)
        return await self._page(filters, self._counts.daily, a_day=1)

    async def axes(self, filters: CountFilter) -> tuple[list[AxesCount], date | None]:
        """Return counts by day, entity and axis, of the days of ``counts``; ``limit`` bounds their axes."""
        return await self._page(filters, self._counts.by_axis, a_day=len(AXES))

    async def _page(
        self, filters: CountFilter, count: Callable[..., Awaitable[list[Counted]]], *, a_day: int
    ) -> tuple[list[Counted], date | None]:
        """Return what is counted on the days of one page, where an entity counts ``a_day`` times a day."""
        await self._datasets.check(filters.dataset)
        ids = await self._entity_ids(filters)
        stored = await self._counts.first_and_last_day(filters.dataset, filters.as_of)
        if stored is None or not ids:
            return [], None
        first = max(filters.cursor or filters.since or stored[0], FIRST_DAY)
        last = min(filters.until or stored[1], _last_observed(stored[1], filters.as_of))
        if first > last:
            return [], None
        days = max(1, filters.limit // (len(ids) * a_day))
        page_end = min(last, first + timedelta(days=days - 1))
        found = await count(ids, first, page_end, filters.as_of, filters.dataset)
        return found, page_end + timedelta(days=1) if page_end < last else None

    async def total(
        self, dataset: str | None, since: date | None, until: date | None, as_of: datetime | None
    ) -> TotalCount:
        """Return tweets and sentiment over all tweets (of a data set) from ``since`` to ``until`` inclusive.

        Raises ``DatasetNotFound``.
        """
        await self._datasets.check(dataset)
        until = None if until is None else min(until, _LATEST.date())
        return await self._counts.total(None if since is None else max(since, FIRST_DAY), until, as_of, dataset)

    async def _entity_ids(self, filters: CountFilter) -> Sequence[str]:
        if filters.entity is not None:
            return [(await self._entities.get(filters.entity)).id]
        return [one.id for one in await self._entities.all() if one.is_in(filters.dataset)]


def _last_observed(newest: date, as_of: datetime | None) -> date:
    today = datetime.now(DAYS_OF).date()
    if as_of is None:
        return max(today, newest)
    return min(max(as_of, _EARLIEST), _LATEST).astimezone(DAYS_OF).date()

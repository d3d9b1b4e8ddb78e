"""Reading: pages of tweets, and daily counts in Bogota days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from twitter_service.entities.repository import EntityStore
from twitter_service.errors import AuthorNotFound, TweetNotFound
from twitter_service.tweets.author_repository import AuthorStore
from twitter_service.tweets.model import MAX_ID
from twitter_service.tweets.repository import Row, TweetFilter, TweetStore

BOGOTA = ZoneInfo("America/Bogota")
FIRST_DAY = date(2006, 3, 21)
"""Day of the first tweet ever; nothing is counted before."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class CountFilter:
    """Which counts are asked for: of one entity or all, by days of Bogota; ``cursor`` is the day to go on from."""

    entity: str | None
    since: date | None
    until: date | None
    as_of: datetime | None
    limit: int
    cursor: date | None


class Reader:
    """What callers read besides the feed."""

    def __init__(self, tweets: TweetStore, entities: EntityStore, authors: AuthorStore) -> None:
        self._tweets = tweets
        self._authors = authors
        self._entities = entities

    async def tweet(self, tweet_id: str) -> Row:
        """Return one tweet; raises ``TweetNotFound``."""
        number = int(tweet_id)
        row = await self._tweets.tweet(number) if number <= MAX_ID else None
        if row is None:
            raise TweetNotFound(tweet_id=tweet_id)
        return row

    async def versions(self, tweet_id: str) -> list[Row]:
        """Return the texts that edits of a tweet have replaced, oldest first; raises ``TweetNotFound``."""
        return await self._tweets.versions(int((await self.tweet(tweet_id))["id"]))

    async def author(self, username: str) -> Row:
        """Return what is known of an author; raises ``AuthorNotFound``."""
        name = username.removeprefix("@")
        row = await self._authors.author(name)
        if row is None:
            raise AuthorNotFound(username=name)
        return row

    async def tweets(self, wanted: TweetFilter, cursor: str | None) -> tuple[list[Row], str | None]:
        """Return a page of tweets, newest first, and the cursor of the next; raises ``EntityNotFound``."""
        if wanted.entity is not None:
            await self._entities.entity(wanted.entity)
        before = None if cursor is None else _position(cursor)
        rows = await self._tweets.tweets(replace(wanted, before=before, limit=wanted.limit + 1))
        if len(rows) <= wanted.limit:
            return rows, None
        return rows[: wanted.limit], _cursor(rows[wanted.limit - 1])

    async def counts(self, asked: CountFilter, *, by_hour: bool = False) -> tuple[list[Row], str | None]:
        """Return counts by day (or by hour) and entity, whole days a page, from ``since`` to ``until`` inclusive.

        By default from the first to the last stored day up to ``as_of``; no day after that of ``as_of`` (without
        one: after today or the last tweet) is given, because it has not been observed.
        """
        wanted = [row["id"] for row in await self._of(asked.entity)]
        span = await self._entities.first_and_last_day(asked.as_of)
        if span is None or not wanted:
            return [], None
        first = max(asked.cursor or asked.since or span[0], FIRST_DAY)
        last = min(asked.until or span[1], _last_observed(span[1], asked.as_of))
        if first > last:
            return [], None
        page_end = min(last, first + timedelta(days=max(1, asked.limit // (len(wanted) * (24 if by_hour else 1))) - 1))
        count = self._entities.hourly if by_hour else self._entities.daily
        rows = await count(wanted, first, page_end, asked.as_of)
        return rows, (page_end + timedelta(days=1)).isoformat() if page_end < last else None

    async def total(self, since: date | None, until: date | None, as_of: datetime | None) -> Row:
        """Return tweets and sentiment over all tweets from ``since`` to ``until`` inclusive."""
        # The zone's offset would lead out of the calendar at its ends.
        until = None if until is None else min(until, date(2100, 1, 1))
        return await self._entities.total(None if since is None else max(since, FIRST_DAY), until, as_of)

    async def _of(self, entity: str | None) -> list[Row]:
        return await self._entities.entities() if entity is None else [await self._entities.entity(entity)]

    async def erase(self, tweet_ids: Sequence[str]) -> tuple[list[str], list[str]]:
        """Erase tweets and return the ids that were stored and those that were not."""
        erased = await self._tweets.erase([int(key) for key in tweet_ids if int(key) <= MAX_ID])
        known = set(erased)
        return [str(key) for key in erased], [key for key in tweet_ids if int(key) not in known]


def _last_observed(newest: date, as_of: datetime | None) -> date:
    today = datetime.now(BOGOTA).date()
    if as_of is None:
        return max(today, newest)
    # The zone's offset would lead out of the calendar at its ends.
    bounded = min(max(as_of, datetime(2000, 1, 1, tzinfo=UTC)), datetime(2100, 1, 1, tzinfo=UTC))
    return bounded.astimezone(BOGOTA).date()


def _cursor(row: Row) -> str:
    return f"{(row['created_at'] - _EPOCH) // _MICROSECOND}-{row['id']}"


def _position(cursor: str) -> tuple[datetime, int]:
    microseconds, tweet_id = cursor.split("-")
    return _EPOCH + int(microseconds) * _MICROSECOND, min(int(tweet_id), MAX_ID)

"""Topics, through the cache, and timelines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, time, timedelta

from pydantic import TypeAdapter

from castor_chassis import Cache
from trending_service import __version__
from trending_service.metrics import CANDIDATES, QUERY_SECONDS, TOPICS
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.model import BucketCount
from trending_service.signals.repository import SignalRepository
from trending_service.text.terms import term_key
from trending_service.topics.finder import find_topics
from trending_service.topics.model import Bucket, Method, Question, Step, Timeline, TopicList

EARLIEST, LATEST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""There are no tweets outside, and windows around these moments stay within the range of ``datetime``."""
_NOW_STEP_SECONDS = 10
"""'Now' moves in steps, so that requests of the same ten seconds share one cached answer."""
_JSON = TypeAdapter(TopicList)


def moment(as_of: datetime | None) -> datetime:
    """Return ``as_of`` moved into [EARLIEST, LATEST], or the current time in steps of 10 s."""
    if as_of is not None:
        return min(max(as_of, EARLIEST), LATEST)
    now = datetime.now(UTC).replace(microsecond=0)
    return now - timedelta(seconds=now.second % _NOW_STEP_SECONDS)


@dataclass(frozen=True, slots=True)
class TopicService:
    """Finds topics and counts timelines; without Redis every answer is computed."""

    signals: SignalRepository
    feed: FeedRepository
    cache: Cache
    method: Method
    cache_seconds: int

    async def topics(self, question: Question) -> TopicList:
        """Return the topics of a question; cached until a new tweet is stored or ``cache_seconds`` pass."""
        state = await self.feed.state()
        key = _cache_key(state.cursor, question)
        cached = (await self.cache.get_many([key]))[0]
        if cached is not None:
            return _JSON.validate_json(cached)
        with QUERY_SECONDS.time():
            found = await find_topics(self.signals, self.method, question)
        CANDIDATES.observe(found.terms_tested)
        TOPICS.observe(len(found.items))
        await self.cache.set_many({key: _JSON.dump_json(found)}, self.cache_seconds)
        return found

    async def timeline(
        self, topic: str, more: Iterable[str], *, as_of: datetime, step: Step, before: int, after: int
    ) -> Timeline:
        """Return the bucket of ``as_of`` with ``before`` ones before and ``after`` ones after it.

        ``more`` are further terms of the topic. With ``after`` = 0 nothing later than ``as_of`` is counted. A topic
        without a word has no term, and its buckets are empty.
        """
        terms = sorted({key for text in (topic, *more) if (key := term_key(text)) is not None})
        starts = self._starts(as_of, step, before, after)
        until = as_of if after == 0 else starts[-1]
        found = await self.signals.timeline(
            terms, step=step, zone=self.method.zone.key, since=starts[0], before=starts[-1], as_of=until
        )
        buckets = [_bucket(at, found.get(at)) for at in starts[:-1]]
        return Timeline(topic, terms, as_of, step, self.method.zone.key, buckets)

    def _starts(self, as_of: datetime, step: Step, before: int, after: int) -> list[datetime]:
        # One more than there are buckets: where the last one ends.
        local = as_of.astimezone(self.method.zone)
        if step == "hour":
            first = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
            return [first + timedelta(hours=number) for number in range(-before, after + 2)]
        days = (local.date() + timedelta(days=number) for number in range(-before, after + 2))
        return [datetime.combine(day, time(), self.method.zone).astimezone(UTC) for day in days]


def _bucket(at: datetime, found: BucketCount | None) -> Bucket:
    if found is None:
        return Bucket(at, tweets=0, authors=0, total_tweets=0, share=None)
    return Bucket(at, found.tweets, found.authors, found.total_tweets, found.tweets / found.total_tweets)


def _cache_key(cursor: int, question: Question) -> str:
    return "topics:" + hashlib.sha256(repr((__version__, cursor, *astuple(question))).encode()).hexdigest()

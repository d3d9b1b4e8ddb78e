"""What the routes ask for: topics through the cache, timelines, the state of the feed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, time, timedelta

from castor_chassis import Cache
from trending_service import __version__
from trending_service.api.schemas.topics import Bucket, Status, Step, Timeline, Topics
from trending_service.metrics import CANDIDATES, QUERY_SECONDS, TOPICS
from trending_service.signals.model import Bucket as CountedBucket
from trending_service.signals.repository import TrendStore
from trending_service.text.terms import term_key
from trending_service.topics.finder import Method, Question, find_topics

EARLIEST, LATEST = datetime(2006, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""There are no tweets outside, and windows around these moments stay within what a calendar can hold."""
_NOW_STEP_SECONDS = 10
"""'Now' moves in steps, so that all who ask at once share one answer."""


def moment(as_of: datetime | None) -> datetime:
    """Return ``as_of`` moved into [EARLIEST, LATEST], or the current time in steps of 10 s."""
    if as_of is not None:
        return min(max(as_of, EARLIEST), LATEST)
    now = datetime.now(UTC).replace(microsecond=0)
    return now - timedelta(seconds=now.second % _NOW_STEP_SECONDS)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers from the store; the cache is an aid that may be away."""

    store: TrendStore
    cache: Cache
    method: Method
    cache_seconds: int

    async def topics(self, question: Question) -> Topics:
        """Return the topics of a question; kept until a new tweet arrives or ``cache_seconds`` pass."""
        state = await self.store.state()
        key = _cache_key(state.cursor, question)
        kept = (await self.cache.get_many([key]))[0]
        if kept is not None:
            return Topics.model_validate_json(kept)
        with QUERY_SECONDS.time():
            found = await find_topics(self.store, self.method, question)
        CANDIDATES.observe(found.terms_tested)
        TOPICS.observe(len(found.items))
        await self.cache.set_many({key: found.model_dump_json().encode()}, self.cache_seconds)
        return found

    async def timeline(
        self, topic: str, more: Iterable[str], *, as_of: datetime, step: Step, before: int, after: int
    ) -> Timeline:
        """Return the bucket of ``as_of`` with ``before`` ones before and ``after`` ones after it.

        With ``after`` = 0 nothing later than ``as_of`` is counted. A text without a word is in no tweet.
        """
        terms = sorted({key for text in (topic, *more) if (key := term_key(text)) is not None})
        starts = self._starts(as_of, step, before, after)
        until = as_of if after == 0 else starts[-1]
        found = await self.store.timeline(
            terms, step=step, zone=self.method.zone.key, since=starts[0], before=starts[-1], as_of=until
        )
        buckets = [_bucket(at, found.get(at)) for at in starts[:-1]]
        return Timeline(
            topic=topic, terms=terms, as_of=as_of, step=step, timezone=self.method.zone.key, buckets=buckets
        )

    async def status(self) -> Status:
        """Return how far the feed is followed."""
        state = await self.store.state()
        oldest, newest = await self.store.extent()
        lag = None if state.caught_up_at is None else datetime.now(UTC) - state.caught_up_at
        return Status(
            tweets=state.tweets,
            cursor=str(state.cursor),
            lag_seconds=None if lag is None else max(0.0, round(lag.total_seconds(), 1)),
            oldest_tweet_at=oldest,
            newest_tweet_at=newest,
        )

    def _starts(self, as_of: datetime, step: Step, before: int, after: int) -> list[datetime]:
        # One more than there are buckets: where the last one ends.
        local = as_of.astimezone(self.method.zone)
        if step == "hour":
            first = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
            return [first + timedelta(hours=number) for number in range(-before, after + 2)]
        days = (local.date() + timedelta(days=number) for number in range(-before, after + 2))
        return [datetime.combine(day, time(), self.method.zone).astimezone(UTC) for day in days]


def _bucket(at: datetime, found: CountedBucket | None) -> Bucket:
    if found is None:
        return Bucket(at=at, tweets=0, authors=0, total_tweets=0, share=None)
    share = found.tweets / found.total_tweets
    return Bucket(at=at, tweets=found.tweets, authors=found.authors, total_tweets=found.total_tweets, share=share)


def _cache_key(cursor: int, question: Question) -> str:
    return "topics:" + hashlib.sha256(repr((__version__, cursor, *astuple(question))).encode()).hexdigest()

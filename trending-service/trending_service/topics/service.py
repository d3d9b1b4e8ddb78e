"""Topics, through the cache, and timelines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, time, timedelta

from pydantic import TypeAdapter, ValidationError

from castor_chassis import Cache, Invalid, NotFound
from trending_service import __version__
from trending_service.errors import ScopeNotFound
from trending_service.metrics import CANDIDATES, QUERY_SECONDS, TOPICS
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.model import BucketCount
from trending_service.text.terms import term_keys
from trending_service.topics.finder import Finder
from trending_service.topics.model import Bucket, Question, Step, Timeline, Topic, TopicList
from trending_service.topics.topic_id import EARLIEST, LATEST, read_topic_id

MOST_BUCKETS = 1000
"""What a timeline may hold before its last bucket."""
_NOW_STEP_SECONDS = 10
"""'Now' moves in steps, so that requests of the same ten seconds share one cached answer."""
_JSON = TypeAdapter(TopicList)
_FIELDS = repr(sorted(_JSON.json_schema()["$defs"].items())) + repr(_JSON.json_schema()["properties"])
"""The shape of a cached answer: one of another shape has another key."""


def moment(asked: datetime | None, field: str = "query.as_of") -> datetime:
    """Return the moment that was ``asked`` for, where it has come; else the current time in steps of 10 s.

    Raises ``Invalid`` for ``field`` outside [EARLIEST, LATEST].
    """
    now = datetime.now(UTC)
    if asked is not None and not EARLIEST <= asked <= LATEST:
        name = field.rpartition(".")[2]
        reason = f"'{name}' is outside the years {EARLIEST.year} to {LATEST.year}; no tweet is"
        raise Invalid(field=field, reason=reason)
    if asked is None or asked > now:
        return now.replace(second=now.second // _NOW_STEP_SECONDS * _NOW_STEP_SECONDS, microsecond=0)
    # Ids hold milliseconds.
    return asked.replace(microsecond=asked.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class TopicService:
    """Finds topics and counts timelines; without Redis every answer is computed."""

    finder: Finder
    feed: FeedRepository
    cache: Cache
    cache_seconds: int

    async def topics(self, question: Question) -> TopicList:
        """Return the topics of a question; cached until a new tweet is stored or ``cache_seconds`` pass.

        Raises ``ScopeNotFound``.
        """
        key = self._cache_key((await self.feed.state()).cursor, question)
        cached = _read((await self.cache.get_many([key]))[0])
        if cached is not None:
            return cached
        with QUERY_SECONDS.time():
            found = await self.finder.find(question)
        if not found.tweets_in_window:
            await self.check_scopes(question.scopes)
        CANDIDATES.observe(found.terms_tested)
        TOPICS.observe(len(found.items))
        await self.cache.set_many({key: _JSON.dump_json(found)}, self.cache_seconds)
        return found

    async def check_scopes(self, scopes: Sequence[str]) -> None:
        """Raise ``ScopeNotFound`` for the first scope that no stored tweet has; asked where an answer is empty."""
        unknown = await self.finder.signals.unknown_scope(scopes)
        if unknown is not None:
            kind, _, name = unknown.partition(":")
            raise ScopeNotFound(kind=kind.replace("dataset", "data set"), name=name)

    async def topic(self, topic_id: str) -> tuple[Topic, Timeline]:
        """Return a topic as it was found, with its 48 hours up to then; raises ``NotFound`` for what is none."""
        key, question = read_topic_id(topic_id)
        found = await self.topics(question)
        topic = next((topic for topic in found.items if read_topic_id(topic.id)[0] == key), None)
        if topic is None:
            raise NotFound
        hours = await self.timeline(
            key, (), as_of=question.as_of, step="hour", before=47, after=0, scopes=question.scopes
        )
        return topic, hours

    def _cache_key(self, cursor: int, question: Question) -> str:
        asked = (__version__, _FIELDS, self.finder.method, cursor, *astuple(question))
        return "topics:" + hashlib.sha256(repr(asked).encode()).hexdigest()

    async def timeline(
        self,
        topic: str,
        more: Iterable[str],
        *,
        as_of: datetime,
        step: Step,
        before: int,
        after: int,
        scopes: Sequence[str] = (),
    ) -> Timeline:
        """Return the bucket of ``as_of`` with ``before`` ones before and ``after`` ones after it.

        ``more`` are further terms of the topic; only tweets with all ``scopes`` count. With ``after`` = 0 nothing later
        than ``as_of`` is counted. A topic without a word has no term, and its buckets are empty. Raises
        ``ScopeNotFound``.
        """
        terms = sorted({key for text in (topic, *more) for key in term_keys(text)})
        starts = self._starts(as_of, step, before, after)
        until = as_of if after == 0 else starts[-1]
        found = await self.finder.signals.timeline(
            terms,
            step=step,
            zone=self.finder.method.zone.key,
            since=starts[0],
            before=starts[-1],
            as_of=until,
            scopes=scopes,
        )
        if not found:
            await self.check_scopes(scopes)
        buckets = [_bucket(at, found.get(at)) for at in starts[:-1]]
        return Timeline(topic, terms, as_of, step, self.finder.method.zone.key, buckets)

    def buckets_before(self, at: datetime, since: datetime, step: Step) -> int:
        """Return how many buckets lie between that of ``since`` and that of ``at``; raises ``Invalid`` above 1,000."""
        if step == "hour":
            count = int(at.timestamp()) // 3600 - int(since.timestamp()) // 3600
        else:
            zone = self.finder.method.zone
            count = (at.astimezone(zone).date() - since.astimezone(zone).date()).days
        if not 0 <= count <= MOST_BUCKETS:
            reason = (
                f"query.since is {count} buckets before the end; 0 to {MOST_BUCKETS} are possible, or a longer step"
            )
            raise Invalid(field="query.since", reason=reason)
        return count

    def _starts(self, as_of: datetime, step: Step, before: int, after: int) -> list[datetime]:
        # One more than there are buckets: where the last one ends.
        local = as_of.astimezone(self.finder.method.zone)
        if step == "hour":
            first = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
            return [first + timedelta(hours=number) for number in range(-before, after + 2)]
        days = (local.date() + timedelta(days=number) for number in range(-before, after + 2))
        return [datetime.combine(day, time(), self.finder.method.zone).astimezone(UTC) for day in days]


def _bucket(at: datetime, found: BucketCount | None) -> Bucket:
    if found is None:
        return Bucket(at, tweets=0, authors=0, total_tweets=0, share=None)
    return Bucket(at, found.tweets, found.authors, found.total_tweets, found.tweets / found.total_tweets)


def _read(cached: bytes | None) -> TopicList | None:
    # What another version left there, or what was damaged, is no answer.
    try:
        return None if cached is None else _JSON.validate_json(cached)
    except ValidationError:
        return None

"""Follows trends: asks for the topics of now and notes what started, peaked and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter

from trending_service.topics.finder import Finder
from trending_service.topics.model import Question, Topic
from trending_service.topics.topic_id import read_topic_id
from trending_service.tracking.model import TrendEvent
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.steps import Seen, step

WINDOW_HOURS = 6
MIN_TWEETS = 5
MOST_TOPICS = 20
NAMING_ACCOUNTS = frozenset({"samples", "sample_tweet_ids"})
"""What is not kept of a topic: a tweet that is erased must not live on here."""
_JSON = TypeAdapter(Topic)


@dataclass(frozen=True, slots=True)
class Tracker:
    """Follows the trends of a scope; one replica at a time."""

    finder: Finder
    trends: TrendRepository

    async def follow(self, scope: str = "", now: datetime | None = None) -> list[TrendEvent]:
        """Look at the topics of ``now``, store what changed and return what happened."""
        at = now or datetime.now(UTC)
        scopes = tuple(sorted(filter(None, scope.split("|"))))
        found = await self.finder.find(Question(at, WINDOW_HOURS, MOST_TOPICS, MIN_TWEETS, scopes))
        return await self._step(scope, [seen_of(topic) for topic in found.items], at)

    async def end(self, scope: str, now: datetime) -> list[TrendEvent]:
        """End the trends of a scope that nobody watches any more once they are gone, and return what happened."""
        return await self._step(scope, [], now)

    async def _step(self, scope: str, seen: Sequence[Seen], at: datetime) -> list[TrendEvent]:
        made = step(await self.trends.going_on(scope), seen, scope, at)
        await self.trends.store(made)
        return made.events


def seen_of(topic: Topic) -> Seen:
    """Return a topic as it is compared with the trends that go on."""
    return Seen(
        key=read_topic_id(topic.id)[0],
        keys=frozenset(topic.keys),
        name=topic.topic,
        rate=topic.tweets_per_hour,
        started_at=topic.started_at,
        topic=_JSON.dump_python(topic, mode="json", exclude=set(NAMING_ACCOUNTS)),
    )

"""The index of an entity as of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forecast_service.clients.twitter import DailyCount, TwitterClient
from forecast_service.errors import NoTopicNamed, TooFewTweets
from forecast_service.indexes.calendar import last_day, moment_of
from forecast_service.indexes.icce import icce_by_day, icce_of_span
from forecast_service.indexes.model import DayCount, EntityIndex, ShareOfVoice, TopicFocus, Weeks
from forecast_service.indexes.share_of_voice import voices
from forecast_service.indexes.topic_focus import focus_of
from forecast_service.indexes.weeks import week_by_week


@dataclass(frozen=True, slots=True)
class IndexService:
    """Computes indexes from the daily counts of twitter-service; ``alpha`` and ``smoothing`` as in ``icce_by_day``."""

    twitter: TwitterClient
    alpha: float
    smoothing: float

    async def index(
        self,
        entity: str,
        as_of: datetime | None,
        days_back: int,
        dataset: str | None = None,
        until: date | None = None,
    ) -> EntityIndex:
        """Return the index of the ``days_back`` whole days before ``as_of`` (now by default), or up to ``until``.

        Days before the first tweet of anybody are left out. A moment at either end of the calendar is as good as any
        other: there is no data at it. Raises ``EntityNotFound``, ``DatasetNotFound``, or the chassis's
        ``PeerError`` when twitter-service does not answer.
        """
        moment = moment_of(as_of)
        until = last_day(moment, until)
        since = until - timedelta(days=days_back - 1)
        counts = await self.twitter.daily_counts(entity, since, until, moment, dataset)
        first = next((place for place, count in enumerate(counts) if count.total_tweets), len(counts))
        seen = [_day_count(count) for count in counts[first:]]
        days = icce_by_day(seen, alpha=self.alpha, smoothing=self.smoothing)
        return EntityIndex(entity, as_of or moment, until, days, dataset, icce_of_span(seen, alpha=self.alpha))

    async def share_of_voice(
        self, as_of: datetime | None, days_back: int, dataset: str | None = None, until: date | None = None
    ) -> ShareOfVoice:
        """Return the shares of all tracked entities over ``days_back`` days up to ``until``, or before ``as_of``.

        Raises ``TooFewTweets`` when none of them was spoken of, ``DatasetNotFound``, or ``PeerError``.
        """
        moment = moment_of(as_of)
        until = last_day(moment, until)
        since = until - timedelta(days=days_back - 1)
        counts = await self.twitter.daily_counts(None, since, until, moment, dataset)
        shares = voices(counts)
        if not shares:
            raise TooFewTweets(since=str(since), until=str(until))
        seen = {count.date for count in counts if count.total_tweets}
        return ShareOfVoice(since, until, days_back - len(seen), sum(voice.tweets for voice in shares), shares)

    async def topic_focus(
        self, entity: str, as_of: datetime | None, days_back: int, dataset: str | None = None, until: date | None = None
    ) -> TopicFocus:
        """Return what an entity's tweets of ``days_back`` days up to ``until``, or before ``as_of``, are about.

        Raises ``NoTopicNamed``, ``EntityNotFound``, ``DatasetNotFound``, or ``PeerError``.
        """
        moment = moment_of(as_of)
        until = last_day(moment, until)
        since = until - timedelta(days=days_back - 1)
        days = await self.twitter.axis_counts(entity, since, until, moment, dataset)
        tweets, topics = sum(day.tweets for day in days), focus_of(days)
        if not topics:
            raise NoTopicNamed(entity=entity, tweets=tweets, since=str(since), until=str(until))
        missing = days_back - sum(not day.gap for day in days)
        with_axis = sum(day.with_axis for day in days)
        return TopicFocus(entity, as_of or moment, since, until, missing, tweets, with_axis, topics)

    async def weeks(self, as_of: datetime | None, dataset: str | None = None, until: date | None = None) -> Weeks:
        """Return all tracked entities in the week up to ``until``, or before ``as_of``, and in the week before.

        Raises ``DatasetNotFound`` or ``PeerError``.
        """
        moment = moment_of(as_of)
        until = last_day(moment, until)
        counts = await self.twitter.daily_counts(None, until - timedelta(days=13), until, moment, dataset)
        return week_by_week([(one.entity, _day_count(one)) for one in counts], as_of or moment, until, alpha=self.alpha)


def _day_count(count: DailyCount) -> DayCount:
    names = ("tweets", "scored", "positive", "negative", "total_tweets", "targeted")
    return DayCount(count.date, *(getattr(count, name) for name in names))

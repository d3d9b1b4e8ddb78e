"""The index of an entity as of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from forecast_service.clients.twitter import DailyCount, TwitterClient
from forecast_service.indexes.icce import icce_by_day
from forecast_service.indexes.model import DayCount, EntityIndex

BOGOTA = ZoneInfo("America/Bogota")


@dataclass(frozen=True, slots=True)
class IndexService:
    """Computes indexes from the daily counts of twitter-service; ``alpha`` and ``smoothing`` as in ``icce_by_day``."""

    twitter: TwitterClient
    alpha: float
    smoothing: float

    async def index(self, entity: str, as_of: datetime | None, days_back: int) -> EntityIndex:
        """Return the index of the ``days_back`` whole days before ``as_of`` (now by default).

        Days before the first tweet of anybody are left out. Raises ``EntityNotFound``, or the chassis's
        ``PeerError`` when twitter-service does not answer.
        """
        moment = as_of or datetime.now(UTC)
        until = _last_whole_day(moment)
        since = until - timedelta(days=days_back - 1)
        counts = await self.twitter.daily_counts(entity, since, until, moment)
        first = next((place for place, count in enumerate(counts) if count.total_tweets), len(counts))
        days = icce_by_day([_day_count(count) for count in counts[first:]], alpha=self.alpha, smoothing=self.smoothing)
        return EntityIndex(entity, moment, days)


def _last_whole_day(as_of: datetime) -> date:
    # The day that as_of lies in is not over: half a day's shares would be compared with whole ones.
    return as_of.astimezone(BOGOTA).date() - timedelta(days=1)


def _day_count(count: DailyCount) -> DayCount:
    return DayCount(count.date, count.tweets, count.scored, count.positive, count.negative, count.total_tweets)

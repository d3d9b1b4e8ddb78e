"""A week against the week before: what an index "now" rests on, where a single day has too few tweets.

The tweets of seven days are pooled: ISN, ICR and ICCE (see ``icce``) are those of the sums, not means of daily values,
so a day of 3 tweets weighs a hundredth of one of 300. Errors are those of ``sampling`` for the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from forecast_service.indexes.icce import icce_at
from forecast_service.indexes.model import DayCount, Week, WeekChange, Weeks
from forecast_service.indexes.sampling import icce_error, share_error

WEEK_DAYS = 7
FEW_TWEETS = 30
"""Below so many tweets in a week the answer says that they are few: the rule of thumb for normal intervals."""


def week_by_week(counts: Sequence[tuple[str, DayCount]], as_of: datetime, until: date, *, alpha: float) -> Weeks:
    """Return this week and the one before of each entity, that with the most tweets this week first.

    ``counts`` are an entity and one of its days, of the 14 days up to ``until``; other days are left out. ``alpha``:
    see ``icce_by_day``.
    """
    ends = (until, until - timedelta(days=WEEK_DAYS))
    entities = dict.fromkeys(name for name, _ in counts)
    days, days_before = ([(name, one) for name, one in counts if _is_in_week(one.day, end)] for end in ends)
    now, before = _weeks(days, entities, alpha), _weeks(days_before, entities, alpha)
    changes = [WeekChange(name, now[name], before[name]) for name in entities]
    changes.sort(key=lambda one: (-one.now.tweets, -one.before.tweets, one.entity))
    return Weeks(as_of, until, _total(days), _total(days_before), changes)


def _is_in_week(day: date, end: date) -> bool:
    return 0 <= (end - day).days < WEEK_DAYS


def _total(week: Iterable[tuple[str, DayCount]]) -> int:
    return sum({one.day: one.total_tweets for _, one in week}.values())


def _weeks(days: Sequence[tuple[str, DayCount]], entities: Iterable[str], alpha: float) -> dict[str, Week]:
    sums = {entity: _sum([one for name, one in days if name == entity]) for entity in entities}
    voices = sum(one.tweets for one in sums.values())
    return {entity: _week(one, voices, alpha) for entity, one in sums.items()}


def _sum(days: Sequence[DayCount]) -> DayCount:
    names = ("tweets", "scored", "positive", "negative", "total_tweets", "targeted")
    first = min((one.day for one in days), default=date.min)
    return DayCount(first, *(sum(getattr(one, name) for one in days) for name in names))


def _week(count: DayCount, voices: int, alpha: float) -> Week:
    share = count.tweets / voices if voices else None
    isn = (count.positive - count.negative) / count.scored if count.scored else None
    icce = None if isn is None else icce_at(isn, count.tweets / count.total_tweets, alpha)
    return Week(
        tweets=count.tweets,
        scored=count.scored,
        positive=count.positive,
        negative=count.negative,
        share=share,
        share_error=share_error(count.tweets, voices),
        isn=isn,
        icce=icce,
        error=icce_error(count, alpha),
        judged_towards=count.targeted,
        judged_by_text=count.scored - count.targeted,
    )

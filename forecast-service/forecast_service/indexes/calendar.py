"""Days in America/Bogota, and the moments for which counts can exist."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from castor_chassis import DAYS_OF

FIRST_TWEET = datetime(2006, 3, 21, 5, tzinfo=UTC)
"""The day of the first tweet ever begins; no count of an earlier day can differ from zero."""
LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)
"""Far enough from the end of the calendar that a horizon or a change of zone cannot pass it."""


def moment_of(as_of: datetime | None) -> datetime:
    """Return ``as_of`` (now by default), moved into the span from ``FIRST_TWEET`` to ``LAST_MOMENT``."""
    return min(max(as_of or datetime.now(UTC), FIRST_TWEET), LAST_MOMENT)


def last_whole_day(moment: datetime) -> date:
    """Return the last day that is over at ``moment``: half a day's shares cannot be compared with whole ones."""
    return moment.astimezone(DAYS_OF).date() - timedelta(days=1)


def last_day(moment: datetime, until: date | None) -> date:
    """Return ``until``, or the last whole day before ``moment`` where that is earlier or stands alone."""
    last = last_whole_day(moment)
    return last if until is None else max(min(until, last), FIRST_TWEET.date())


def end_of(day: date) -> datetime:
    """Return the moment at which a day of America/Bogota is over."""
    return datetime.combine(day + timedelta(days=1), time(), DAYS_OF).astimezone(UTC)

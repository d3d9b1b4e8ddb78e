"""The time that the tweets of one file or data set cover, in days of Bogotá."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.job.request import as_options

BOGOTA = timezone(timedelta(hours=-5))
Json = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """Days from the first to the last, both inclusive."""

    first: date
    last: date

    @classmethod
    def of(cls, done: Json) -> Span:
        """Return the span of an import or data set; raises ``DevstackError`` when no line of it was a tweet."""
        if done["last_tweet_at"] is None:
            reasons = "; ".join(f"line {each['line']}: {each['reason']}" for each in done.get("rejections", ())[:3])
            why = as_options(reasons) or "nothing is stored"
            raise DevstackError(f"No line of the file is a tweet ({why}).", exit_code=2)
        first, last = (bogota_date(done[name]) for name in ("first_tweet_at", "last_tweet_at"))
        return cls(first, last)

    def within(self, since: date | None, until: date | None) -> Span:
        """Return the days of it from ``since`` to ``until``; raises ``DevstackError`` where there are none."""
        found = Span(max(self.first, since or self.first), min(self.last, until or self.last))
        if found.first > found.last:
            raise DevstackError(
                f"The tweets are of {self.first} to {self.last}; choose --since and --until among these days.",
                exit_code=2,
            )
        return found

    @property
    def days(self) -> dict[str, str]:
        """First and last day, as the services take them."""
        return {"since": self.first.isoformat(), "until": self.last.isoformat()}

    @property
    def begin(self) -> str:
        """When the first day begins."""
        return wire_time(end_of(self.first - timedelta(days=1)))

    @property
    def as_of(self) -> str:
        """When the last day ends, or now where that is still to come."""
        return wire_time(min(end_of(self.last), datetime.now(UTC)))


def bogota_date(moment: str) -> date:
    """Return the day of Bogotá that a moment lies in."""
    return datetime.fromisoformat(moment).astimezone(BOGOTA).date()


def end_of(day: date) -> datetime:
    """Return midnight in Bogotá after ``day``."""
    return datetime(day.year, day.month, day.day, tzinfo=BOGOTA) + timedelta(days=1)


def wire_time(moment: datetime) -> str:
    """Return a time as the services write it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The time that the tweets of one file cover, in days of Bogotá."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from castor_devstack.errors import DevstackError

BOGOTA = timezone(timedelta(hours=-5))
Json = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """The time that the file covers."""

    first: datetime
    last: datetime

    @classmethod
    def of(cls, done: Json) -> Span:
        """Return the span of an import; raises ``DevstackError`` when no line of the file was a tweet."""
        if done["last_tweet_at"] is None:
            reasons = "; ".join(f"line {each['line']}: {each['reason']}" for each in done["rejections"][:3])
            raise DevstackError(f"No line of the file is a tweet ({reasons}).", exit_code=2)
        return cls(datetime.fromisoformat(done["first_tweet_at"]), datetime.fromisoformat(done["last_tweet_at"]))

    @property
    def since(self) -> str:
        """First day in Bogotá."""
        return self.first.astimezone(BOGOTA).date().isoformat()

    @property
    def until(self) -> str:
        """Last day in Bogotá."""
        return self.last.astimezone(BOGOTA).date().isoformat()


def end_of(day: date) -> datetime:
    """Return midnight in Bogotá after ``day``."""
    return datetime(day.year, day.month, day.day, tzinfo=BOGOTA) + timedelta(days=1)


def wire_time(moment: datetime) -> str:
    """Return a time as the services write it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

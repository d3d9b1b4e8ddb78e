"""Schemathesis's hooks: every date and time that the fuzzer makes, and what no schema says of answers.

The ends of the calendar are for other tests as well.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st

IN_RANGE = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00-14:00", "0001-12-31T23:59:59.999999Z", "1582-10-10T12:00:00Z",
    "1969-12-31T23:59:59Z", "2024-02-29T23:59:59.999999+14:00", "2038-01-19T03:14:08Z", "2105-01-01T00:00:00-23:59",
    "9999-12-31T00:00:00Z", "9999-12-31T23:59:59+14:00", "9999-12-31T23:59:59.999999Z",
)  # fmt: skip
"""Moments that are within years 1 to 9999 in UTC as well."""
OUT_OF_RANGE = (
    "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-23:59", "10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z",
    "99999999999-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-05-29T00:00:00+24:00", "2026-05-29T00:00:00-99:99", "2016-12-31T23:59:60Z", "2016-12-31T23:59:61Z",
    "0000-00-00T00:00:00Z",
)  # fmt: skip
"""What no calendar has, what leaves years 1 to 9999 in UTC, and leap seconds."""
DAYS_IN_RANGE = ("0001-01-01", "0001-01-02", "1582-10-10", "2024-02-29", "9999-12-30", "9999-12-31")
DAYS_OUT_OF_RANGE = ("0000-01-01", "-0001-01-01", "10000-01-01", "2026-02-29", "2026-02-30", "2026-13-01")


def _moment(day: date, at: time, offset: str) -> str:
    return f"{day.isoformat()}T{at.isoformat()}{offset}"


_OFFSETS = st.sampled_from(["Z", "-05:00", "+14:00", "-14:00", "+23:59", "-23:59"])
# A day within the ends, so that an offset does not lead out of the calendar, which the schema cannot say.
_ORDINARY = st.builds(_moment, st.dates(date(1, 1, 2), date(9999, 12, 30)), st.times(), _OFFSETS)

schemathesis.openapi.format("date-time", st.sampled_from(IN_RANGE) | _ORDINARY)
schemathesis.openapi.format("date", st.sampled_from(DAYS_IN_RANGE) | st.dates().map(date.isoformat))


LONGEST_WAIT_SECONDS = 1


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Let a long poll wait for a second at most: it would take all the time that the request has."""
    try:
        wait = float((case.query or {}).get("wait", 0))
    except (TypeError, ValueError):
        return
    if LONGEST_WAIT_SECONDS < wait <= 25:
        case.query["wait"] = LONGEST_WAIT_SECONDS


_answered_again: set[str] = set()


@schemathesis.hook
def after_call(_context: Any, _case: Any, response: schemathesis.Response) -> None:
    """Note what an answer names that is given again, to the same Idempotency-Key."""
    if "idempotency-replayed" in response.headers:
        _answered_again.update(map(unquote, response.headers.get("location", ())))


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, _response: Any) -> bool:
    """Keep a failure, unless it is that something is gone whose creation was answered again: it was deleted since."""
    path = unquote(case.formatted_path)
    return failure.code != "ST302" or not any(path.startswith(gone) for gone in _answered_again)

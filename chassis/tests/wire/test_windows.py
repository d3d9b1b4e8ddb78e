"""Spans of time: moments and days of America/Bogota."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from castor_chassis import Invalid, Since, SinceDay, Until, UntilDay, check_span


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        (Since, "2022-05-29", datetime(2022, 5, 29, 5, tzinfo=UTC)),
        (Until, "2022-05-29", datetime(2022, 5, 30, 5, tzinfo=UTC)),
        (Since, "2022-05-29T00:00:00-05:00", datetime(2022, 5, 29, 5, tzinfo=UTC)),
        (Until, "2022-05-29T05:00:00Z", datetime(2022, 5, 29, 5, tzinfo=UTC)),
        (SinceDay, "2022-05-29", date(2022, 5, 29)),
        (UntilDay, "2022-05-29", date(2022, 5, 29)),
        (SinceDay, "2022-05-29T04:59:59Z", date(2022, 5, 28)),
        (UntilDay, "2022-05-29T05:00:00Z", date(2022, 5, 28)),
        (UntilDay, "2022-05-29T05:00:00.001Z", date(2022, 5, 29)),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_in_bogota(kind: Any, value: str, meant: date) -> None:
    """A day begins with since and ends with until; spans of whole days take a moment for a day."""
    assert TypeAdapter(kind).validate_python(value) == meant


@pytest.mark.parametrize("kind", [Since, Until, SinceDay, UntilDay])
@pytest.mark.parametrize("value", ["2022-02-30", "2022-05-29T00:00:00", "ayer", "", "9999-12-31T23:59:59-14:00", 20])
def test_what_is_neither_is_refused(kind: Any, value: object) -> None:
    """Days that do not exist, moments without an offset, words, numbers and the end of the calendar are refused."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    assert "isoformat" not in str(refused.value)


def test_a_span_does_not_end_before_it_begins() -> None:
    """The error names the parameter; one day is a span and one moment is none; an end may be open."""
    day, moment = date(2022, 5, 29), datetime(2022, 5, 29, 5, tzinfo=UTC)
    check_span(day, day)
    check_span(None, day)
    check_span(moment, moment + timedelta.resolution)
    for since, until in ((day, date(2022, 5, 28)), (moment, moment)):
        with pytest.raises(Invalid) as refused:
            check_span(since, until)
        assert refused.value.details["fields"][0]["field"] == "query.until"

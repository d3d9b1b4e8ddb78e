"""The calendar: elections and holidays of Colombia."""

from __future__ import annotations

from datetime import date

import pytest

from forecast_service.indexes.events import ELECTIONS, events_between


def test_elections_and_moved_holidays() -> None:
    """The first round of 2022 and the holidays that move to a Monday, in order."""
    found = [(event.date, event.kind) for event in events_between(date(2022, 5, 29), date(2022, 6, 27))]
    assert found == [
        (date(2022, 5, 29), "election"),
        (date(2022, 5, 30), "holiday"),
        (date(2022, 6, 19), "election"),
        (date(2022, 6, 20), "holiday"),
        (date(2022, 6, 27), "holiday"),
    ]


def test_colombia_votes_on_sundays() -> None:
    """No day of the table is mistyped into another weekday."""
    assert {day.weekday() for day in ELECTIONS} == {6}


@pytest.mark.parametrize(
    ("first", "last"), [(date(2006, 3, 21), date(2006, 4, 1)), (date(9998, 12, 20), date(9998, 12, 31))]
)
def test_both_ends_of_the_calendar(first: date, last: date) -> None:
    """Years far away have holidays or none, and no failure."""
    assert all(first <= event.date <= last for event in events_between(first, last))

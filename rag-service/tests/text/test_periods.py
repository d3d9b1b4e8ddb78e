"""Periods that a question names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rag_service.text.periods import period_of, written_day

NOW = datetime(2022, 5, 20, 3, tzinfo=UTC)  # the evening of the 19th in Bogotá


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("¿Qué dijo en marzo de 2022?", "2022-03-01", "2022-04-01"),
        ("¿Qué pasó en diciembre?", "2021-12-01", "2022-01-01"),
        ("¿Qué se dijo el 29 de mayo de 2021?", "2021-05-29", "2021-05-30"),
        ("entre el 3 y el 9 de mayo", "2022-05-03", "2022-05-10"),
        ("del 28 de febrero al 2 de marzo de 2022", "2022-02-28", "2022-03-03"),
        ("entre enero y marzo de 2022", "2022-01-01", "2022-04-01"),
        ("durante 2020", "2020-01-01", "2021-01-01"),
        ("¿Qué se dijo ayer?", "2022-05-18", "2022-05-19"),
        ("¿Y hoy?", "2022-05-19", "2022-05-20"),
        ("en los últimos 10 días", "2022-05-09", "2022-05-20"),
        ("en la última semana", "2022-05-12", "2022-05-20"),
    ],
)
def test_periods_are_days_of_bogota(question: str, since: str, until: str) -> None:
    """A period begins and ends at midnight in Bogotá; one without a year is the latest."""
    found = period_of(question, NOW)
    assert found is not None
    assert [moment.isoformat() for moment in found] == [f"{since}T05:00:00+00:00", f"{until}T05:00:00+00:00"]


@pytest.mark.parametrize("question", ["¿Qué dicen de la paz?", "el 31 de febrero de 2022", "en la mesa 2022", ""])
def test_what_names_no_period_has_none(question: str) -> None:
    """A question without a date, and a date that does not exist, give no period."""
    assert period_of(question, NOW) is None


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("question", ["hoy", "ayer", "en marzo", "en los últimos 900 meses", "en 2022"])
def test_the_ends_of_the_calendar_are_no_errors(now: datetime, question: str) -> None:
    """A question asked at the first or the last moment has a period or none."""
    found = period_of(question, now)
    assert found is None or found[0] < found[1]
    assert written_day(now).endswith(str(now.year))

"""Periods that a question names."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Literal

import pytest

from rag_service.text.periods import period_of, without_period, written_day

OTHER_DAYS = ("los lunes", "el próximo lunes", "el lunes que viene", "el Viernes Santo", "el pasado de Petro")
BESIDE = (
    "la semana anterior a las elecciones", "¿Qué propone para el domingo?", "la inflación frente al mes anterior",
    "más que la semana pasada", "comparado con el año pasado", "respecto al mes pasado", "el debate del lunes 16",
    "el domingo de la consulta", "el domingo del plebiscito", "el lunes sin IVA",
)  # fmt: skip
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
        ("la semana pasada", "2022-05-09", "2022-05-16"),
        ("en la semana anterior", "2022-05-09", "2022-05-16"),
        ("la  pasada semana", "2022-05-09", "2022-05-16"),
        ("el fin de semana pasado", "2022-05-14", "2022-05-16"),
        ("el mes pasado", "2022-04-01", "2022-05-01"),
        ("el mes anterior", "2022-04-01", "2022-05-01"),
        ("el pasado mes de marzo", "2022-03-01", "2022-04-01"),
        ("el año pasado", "2021-01-01", "2022-01-01"),
        ("el lunes", "2022-05-16", "2022-05-17"),
        ("el lunes pasado", "2022-05-16", "2022-05-17"),
        ("el debate del miércoles", "2022-05-18", "2022-05-19"),
        ("el lunes de la semana pasada", "2022-05-09", "2022-05-16"),
        ("el pasado sábado", "2022-05-14", "2022-05-15"),
        ("el jueves", "2022-05-12", "2022-05-13"),
        ("el lunes 9 de mayo", "2022-05-09", "2022-05-10"),
        ("en marzo del año pasado", "2021-03-01", "2021-04-01"),
        ("antes de ayer frente al mes pasado", "2022-05-17", "2022-05-18"),
    ],
)
def test_periods_are_days_of_bogota(question: str, since: str, until: str) -> None:
    """A period begins and ends at midnight in Bogotá; one without a year is the latest."""
    found = period_of(question, NOW)
    assert found is not None
    assert [moment.isoformat() for moment in found] == [f"{since}T05:00:00+00:00", f"{until}T05:00:00+00:00"]


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("antes del 29 de mayo", None, "2022-05-29"),
        ("hasta el 29 de mayo", None, "2022-05-30"),
        ("hasta junio", None, "2022-07-01"),
        ("antes de marzo", None, "2022-03-01"),
        ("antes de hoy", None, "2022-05-20"),
        ("antes  de esta semana", None, "2022-05-13"),
        ("antes de los últimos 10 días", None, "2022-05-10"),
        ("antes de ayer", "2022-05-18", "2022-05-19"),
        ("desde antes de ayer", "2022-05-18", None),
        ("hasta hoy", None, "2022-05-21"),
        ("a partir de hoy", "2022-05-20", None),
        ("después de ayer", "2022-05-20", None),
        ("después de la última semana", "2022-05-21", None),
        ("desde marzo hasta el 5 de mayo", "2022-03-01", "2022-05-06"),
        ("desde marzo hasta el 29 de mayo", "2022-03-01", "2022-05-30"),
        ("entre marzo y junio", "2022-03-01", "2022-07-01"),
        ("entre el 3 y el 9 de junio", "2021-06-03", "2021-06-10"),
        ("desde el 5 de marzo hasta mayo", "2022-03-05", "2022-06-01"),
        ("desde enero hasta ayer", "2022-01-01", "2022-05-20"),
        ("desde el mes de marzo hasta hoy", "2022-03-01", "2022-05-21"),
        ("de diciembre a hoy", "2021-12-01", "2022-05-21"),
        ("de 2020 a hoy", "2020-01-01", "2022-05-21"),
        ("de 2020 a marzo", "2020-01-01", "2022-04-01"),
        ("desde marzo de 2020 hasta 2021", "2020-03-01", "2022-01-01"),
        ("entre el 3 de mayo y ayer", "2022-05-03", "2022-05-20"),
        ("entre ayer y hoy", "2022-05-19", "2022-05-21"),
        ("el 3 de mayo a hoy", "2022-05-03", "2022-05-04"),
        ("después de 2022", "2023-01-01", None),
        ("de la semana pasada", "2022-05-09", "2022-05-16"),
        ("desde la semana pasada", "2022-05-09", None),
        ("desde el lunes hasta ayer", "2022-05-16", "2022-05-20"),
        ("antes del mes pasado", None, "2022-04-01"),
        ("del año pasado", "2021-01-01", "2022-01-01"),
        ("del lunes al miércoles", "2022-05-16", "2022-05-19"),
        ("antes de marzo del año anterior", None, "2021-03-01"),
    ],
)
def test_periods_seen_from_their_midst(question: str, since: str | None, until: str | None) -> None:
    """All sides go with all days; ends are of different kinds, and may be ahead; all its words are the period's."""
    text = f"¿Qué se dijo de la paz {question}?"
    found = period_of(text, datetime(2022, 5, 20, 12, tzinfo=UTC))
    assert found is not None
    assert [moment and moment.isoformat()[:10] for moment in found] == [since, until]
    assert without_period(text).rstrip("?").removesuffix(" a hoy") == "¿Qué se dijo de la paz"


@pytest.mark.parametrize(
    "question", ["¿Qué dicen de la paz?", "el 31 de febrero de 2022", "en la mesa 2022", "", *OTHER_DAYS, *BESIDE]
)
def test_what_names_no_period_has_none(question: str) -> None:
    """A question without a date, and a date that does not exist, give no period."""
    assert period_of(question, NOW) is None


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("entre el 28 de diciembre y el 3 de enero", "2025-12-28", "2026-01-04"),
        ("entre noviembre y febrero", "2025-11-01", "2026-03-01"),
        ("del 1 de marzo de 2022 al 31 de marzo de 2022", "2022-03-01", "2022-04-01"),
        ("del 20 de diciembre de 2021 al 6 de enero", "2021-12-20", "2022-01-07"),
        ("desde el 3 de abril hasta el 9 de mayo", "2026-04-03", "2026-05-10"),
        ("entre marzo de 2025 y febrero de 2026", "2025-03-01", "2026-03-01"),
        ("desde marzo hasta mayo de 2022", "2022-03-01", "2022-06-01"),
        ("entre 2018 y 2020", "2018-01-01", "2021-01-01"),
        ("de 2018 a 2020", "2018-01-01", "2021-01-01"),
        ("desde el 1 de mayo", "2026-05-01", None),
        ("a partir del 1 de mayo de 2025", "2025-05-01", None),
        ("después del 3 de mayo", "2026-05-04", None),
        ("antes del 3 de mayo", None, "2026-05-03"),
        ("hasta el 3 de mayo", None, "2026-05-04"),
        ("desde marzo de 2022", "2022-03-01", None),
        ("antes de marzo", None, "2026-03-01"),
        ("después de marzo", "2026-04-01", None),
        ("antes de 2022", None, "2022-01-01"),
        ("después de 2022", "2023-01-01", None),
        ("desde el año 2022", "2022-01-01", None),
        ("hasta 2022", None, "2023-01-01"),
        ("desde ayer", "2026-05-30", None),
        ("antes de ayer", "2026-05-29", "2026-05-30"),
        ("desde la última semana", "2026-05-24", None),
        ("el 29 de febrero", "2024-02-29", "2024-03-01"),
        ("las protestas del 2021", "2021-01-01", "2022-01-01"),
        ("la Ley 100 de 1993 en marzo de 2022", "2022-03-01", "2022-04-01"),
        ("la reforma pensional en marzo de 2022", "2022-03-01", "2022-04-01"),
        ("la reforma pensional desde 2022", "2022-01-01", None),
        ("el decreto 417 el 3 de mayo", "2026-05-03", "2026-05-04"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_periods_begin_and_end_where_it_is_said(
    question: str, since: str | None, until: str | None, form: Literal["NFC", "NFD"]
) -> None:
    """A period goes over the turn of the year, has years at both ends, or is open on one side."""
    found = period_of(unicodedata.normalize(form, f"¿Qué se dijo {question}?"), datetime(2026, 5, 31, 12, tzinfo=UTC))
    assert found is not None
    assert [moment and moment.isoformat() for moment in found] == [
        day and f"{day}T05:00:00+00:00" for day in (since, until)
    ]


@pytest.mark.parametrize(
    "question",
    [
        "¿Qué dicen de la Ley 100 de 1993?",
        "¿Qué dicen de la Constitución de 1991?",
        "la Constitución Política de 1991",
        "el Decreto 417 de 2020",
        "el acto legislativo 01 de 2017",
        "la reforma tributaria de 2021",
        "la Ley 2277 del 13 de diciembre de 2022",
        "el acuerdo de paz de 2016",
        "del 9 de mayo de 2022 al 3 de marzo de 2022",
    ],
)
def test_the_year_of_a_law_is_no_period(question: str) -> None:
    """It tells which law is meant; nor is a period that ends before it begins."""
    assert period_of(question, NOW) is None


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("¿Y en marzo de 2022?", "¿Y?"),
        ("¿Y desde el 1 de mayo?", "¿Y?"),
        ("¿Qué dicen de la paz entre marzo de 2025 y febrero de 2026?", "¿Qué dicen de la paz?"),
        ("¿Qué dicen de la Ley 100 de 1993?", "¿Qué dicen de la Ley 100 de 1993?"),
    ],
)
def test_a_question_stands_without_its_period(question: str, rest: str) -> None:
    """All words of the period go, and none else."""
    assert without_period(question) == rest


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("question", ["hoy", "ayer", "en marzo", "en los últimos 900 meses", "en 2022"])
def test_the_ends_of_the_calendar_are_no_errors(now: datetime, question: str) -> None:
    """A question asked at the first or the last moment has a period or none."""
    found = period_of(question, now)
    assert found is None or (found[0] is not None and found[1] is not None and found[0] < found[1])
    assert written_day(now).endswith(str(now.year))

"""The period that a Spanish question asks about: "en marzo de 2022", "ayer", "entre el 3 y el 9 de mayo"."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

from castor_chassis import fold

_BOGOTA = timezone(timedelta(hours=-5))
"""Colombia has no summer time; days of a question are its days."""
_MONTH_NAMES = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)} | {"setiembre": 9}
_MONTH = "(" + "|".join(_MONTHS) + ")"
_YEAR = r"(?:\s+(?:de|del)\s+(?:ano\s+)?((?:19|20)\d\d))?"
_RANGE = re.compile(
    rf"\b(?:entre|del?)\s+(?:el\s+)?(\d{{1,2}})(?:\s+de\s+{_MONTH})?\s+(?:y|al?)\s+(?:el\s+)?"
    rf"(\d{{1,2}})\s+de\s+{_MONTH}{_YEAR}"
)
_MONTHS_RANGE = re.compile(rf"\b(?:entre|de)\s+{_MONTH}\s+(?:y|a)\s+{_MONTH}{_YEAR}")
_DAY = re.compile(rf"\b(\d{{1,2}})\s+de\s+{_MONTH}{_YEAR}")
_WHOLE_MONTH = re.compile(rf"\b(?:en|durante|de)\s+(?:el\s+mes\s+de\s+)?{_MONTH}{_YEAR}\b")
_WHOLE_YEAR = re.compile(r"\b(?:en|durante|de)\s+(?:el\s+(?:ano\s+)?)?((?:19|20)\d\d)\b")
_LAST_DAYS = re.compile(r"\bultim[oa]s\s+(\d{1,3})\s+(dias|semanas|meses)\b")
_RELATIVE = {
    "anteayer": (-2, -1),
    "ayer": (-1, 0),
    "hoy": (0, 1),
    "(?:ultima|esta) semana": (-7, 1),
    "(?:ultimo|este) mes": (-30, 1),
}
_ANY_RELATIVE = re.compile(rf"\b(?:{'|'.join(_RELATIVE)})\b")
_UNITS = {"dias": 1, "semanas": 7, "meses": 30}

Period = tuple[datetime, datetime]
"""Its beginning, and its end, which is not part of it; both UTC."""


def period_of(question: str, now: datetime) -> Period | None:
    """Return the period that ``question`` names, seen from ``now``, or None; a date that does not exist is none.

    Days begin and end at midnight in Bogotá. A day or month without a year is the latest one up to ``now``.
    """
    text = fold(question, keep_enye=False)
    today = now.astimezone(_BOGOTA).date() if now > datetime.min.replace(tzinfo=UTC) + timedelta(days=2) else now.date()
    try:
        days = _absolute(text, today) or _relative(text, today)
        return None if days is None else (_midnight(days[0]), _midnight(days[1]))
    except (ValueError, OverflowError):
        return None


def names_period(question: str) -> bool:
    """Return whether ``question`` names a period."""
    return without_period(question) != question


def without_period(question: str) -> str:
    """Return ``question`` without the period that it names."""
    text = fold(question, keep_enye=False)
    if len(text) != len(question):
        return question
    for pattern in (_RANGE, _MONTHS_RANGE, _DAY, _WHOLE_MONTH, _WHOLE_YEAR, _LAST_DAYS, _ANY_RELATIVE):
        match = pattern.search(text)
        if match is not None:
            before = re.sub(r"\s*\b(?:en|el|los|las|la|durante)\s*$", "", question[: match.start()])
            return before + question[match.end() :]
    return question


def _absolute(text: str, today: date) -> tuple[date, date] | None:
    if match := _RANGE.search(text):
        first, month, last, end_month, year = match.groups()
        end = _latest(int(last), _MONTHS[end_month], year, today)
        begin = date(end.year, _MONTHS[month or end_month], int(first))
        return begin, end + timedelta(days=1)
    if match := _MONTHS_RANGE.search(text):
        first_month, last_month, year = match.groups()
        end = _latest(1, _MONTHS[last_month], year, today)
        return date(end.year, _MONTHS[first_month], 1), _next_month(end)
    if match := _DAY.search(text):
        day = _latest(int(match[1]), _MONTHS[match[2]], match[3], today)
        return day, day + timedelta(days=1)
    if match := _WHOLE_MONTH.search(text):
        begin = _latest(1, _MONTHS[match[1]], match[2], today)
        return begin, _next_month(begin)
    if match := _WHOLE_YEAR.search(text):
        return date(int(match[1]), 1, 1), date(int(match[1]) + 1, 1, 1)
    return None


def _relative(text: str, today: date) -> tuple[date, date] | None:
    if match := _LAST_DAYS.search(text):
        return today - timedelta(days=int(match[1]) * _UNITS[match[2]]), today + timedelta(days=1)
    for words, (first, last) in _RELATIVE.items():
        if re.search(rf"\b{words}\b", text):
            return today + timedelta(days=first), today + timedelta(days=last)
    return None


def _latest(day: int, month: int, year: str | None, today: date) -> date:
    if year is not None:
        return date(int(year), month, day)
    this_year = date(today.year, month, day)
    return this_year if this_year <= today else date(today.year - 1, month, day)


def _next_month(day: date) -> date:
    return day.replace(day=1) + timedelta(days=monthrange(day.year, day.month)[1])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_BOGOTA).astimezone(UTC)


def written_day(moment: datetime) -> str:
    """Return the day in Bogotá as Spanish writes it: "3 de marzo de 2022"."""
    try:
        day = moment.astimezone(_BOGOTA)
    except OverflowError:
        day = moment
    return f"{day.day} de {_MONTH_NAMES[day.month - 1]} de {day.year}"

"""The period that a Spanish question asks about: "en marzo de 2022", "ayer", "entre el 3 y el 9 de mayo"."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, timezone

from castor_chassis import fold
from castor_chassis.text.dates import MONTH_NAMES, spanish_day

_BOGOTA = timezone(timedelta(hours=-5))
"""Colombia has no summer time; days of a question are its days."""
_MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)} | {"setiembre": 9}
_MONTH = "(" + "|".join(_MONTHS) + ")"
_YEAR = r"(?:\s+(?:de|del)\s+(?:ano\s+)?((?:19|20)\d\d)\b)?"
_ANY_YEAR = r"((?:19|20)\d\d)\b"
_SIDES = r"desde|a\s+partir\s+de|antes\s+de|despues\s+de|hasta"
_SIDE = rf"(?:\b({_SIDES})l?\s+)?"
"""Before a day, month or year: the period begins or ends there, and is open on the other side."""
_THE_YEAR = r"(?:el\s+)?(?:ano\s+)?"
_DAYS_RANGE = re.compile(
    rf"\b(?:entre|del?|desde)\s+(?:el\s+)?(\d{{1,2}})(?:\s+de\s+{_MONTH}{_YEAR})?\s+(?:y|al?|hasta)\s+(?:el\s+)?"
    rf"(\d{{1,2}})\s+de\s+{_MONTH}{_YEAR}"
)
_DAY = re.compile(rf"{_SIDE}(?:\bel\s+)?\b(\d{{1,2}})\s+de\s+{_MONTH}{_YEAR}")
_WHOLE_MONTH = re.compile(
    rf"\b(?:({_SIDES})|en|durante|de)l?\s+"
    rf"(?:el\s+)?(?:mes\s+de\s+)?{_MONTH}{_YEAR}\b"
)
_WHOLE_YEAR = re.compile(rf"\b(?:({_SIDES})|en|durante|de)l?\s+{_THE_YEAR}{_ANY_YEAR}")
_LAST_DAYS = re.compile(rf"{_SIDE}(?:\bl[oa]s\s+)?\bultim[oa]s\s+(\d{{1,3}})\s+(dias|semanas|meses)\b")
_RELATIVE = {
    "anteayer": (-2, -1),
    "antes de ayer": (-2, -1),
    "ayer": (-1, 0),
    "hoy": (0, 1),
    "ultima semana": (-7, 1),
    "esta semana": (-7, 1),
    "ultimo mes": (-30, 1),
    "este mes": (-30, 1),
}
_WEEKDAYS = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
_WEEKDAY = f"(?:{'|'.join(_WEEKDAYS)})"
_SPANS = ("fin de semana", "semana", "mes", "ano", _WEEKDAY)
_EVENTS = (
    "semana|primera|segunda|eleccion(?:es)?|votacion(?:es)?|consultas?|plebiscito|referendo|debate|posesion|"
    "marchas?|paro|final|partido|pascua|ramos"
)
_NOT_LAST = rf"que viene|proximo|siguiente|santo|negro|festivo|sin iva|del?(?: l[ao]s?)? (?:{_EVENTS})"
_BEFORE = (
    *(rf"{name} (?:pasad[oa]|anterior(?! al?\b))|pasad[oa] {name}" for name in _SPANS),
    r"(?:(?<=\bel\s)|(?<=\bdel\s)|(?<=\bal\s))" + _WEEKDAY + rf"(?! (?:\d|(?:{_NOT_LAST})\b))",
)
"""The period before the one of today. The article tells "el lunes", the last one, from "los lunes"."""
_COMPARED = re.compile(
    rf"\b(?:para|que|(?:frente|respecto)\s+al?|comparad[oa]s?\s+con)\s+(?:(?:el|la)\s+)?(?:{'|'.join(_BEFORE)})\b".replace(
        " ", r"\s+"
    )
)
"""What is ahead, or beside the period that is asked about: "para el domingo", "frente al mes anterior"."""
_RELATIVE_DAY = rf"(?:\b(?:el|la)\s+)?\b({'|'.join([*_RELATIVE, *_BEFORE])})\b".replace(" ", r"\s+")
_ANY_RELATIVE = re.compile(rf"(?:\b(?!antes\s+de\s+ayer\b)({_SIDES})l?\s+)?{_RELATIVE_DAY}")
_END = rf"(?:(?:el\s+)?(?:mes\s+de\s+|(\d{{1,2}})\s+de\s+)?{_MONTH}{_YEAR}|{_THE_YEAR}{_ANY_YEAR}|{_RELATIVE_DAY})"
_RANGE = re.compile(rf"(?<!\d )\b(?:entre|del?|desde)\s+{_END}\s+(?:y|al?|hasta)\s+{_END}")
_UNITS = {"dias": 1, "semanas": 7, "meses": 30}
_LAW = re.compile(
    r"\b(?:(?:ley|leyes|decreto|sentencia|resolucion|acto legislativo|acuerdo)(?:\s+(?:no?\.?\s+)?[\w-]*\d[\w-]*)?"
    r"|constitucion(?:\s+politica)?|reforma(?:\s+\w+)?|acuerdos?\s+(?:final|de paz))"
    rf"\s+del?\s+(?:(?:\d{{1,2}}\s+de\s+)?{_MONTH}\s+del?\s+)?{_THE_YEAR}{_ANY_YEAR}"
)
"""A law with its day or year, which tells which one is meant: "la Ley 100 de 1993" is no question about 1993."""
_OF_LAST_YEAR = re.compile(rf"(\b{_MONTH}\s+del\s+ano\s+)(pasado|anterior)\b")
_LEAP_YEARS = 9
"""Among so many years each day of the calendar stands."""
_AHEAD = timedelta(days=215)
"""So far ahead may be the day or month without a year that a period ends with: "antes del 29 de mayo"."""

Period = tuple[datetime | None, datetime | None]
"""Its beginning, and its end, which is not part of it; both UTC, None where it is open."""
_Days = tuple[date | None, date | None]


def period_of(question: str, now: datetime) -> Period | None:
    """Return the period that ``question`` names, seen from ``now``, or None; a date that does not exist is none.

    Days begin and end at midnight in Bogotá. A day or month without a year is the latest one up to ``now``, or up to
    the end of the period that it begins; the end of a period may be up to seven months ahead. "Desde marzo" has no end,
    "antes de marzo" no beginning.
    """
    text = fold(question, keep_enye=False)
    today = now.astimezone(_BOGOTA).date() if now > datetime.min.replace(tzinfo=UTC) + timedelta(days=2) else now.date()
    try:
        found = _named(text, today.year - 1)
        days = found and found[0](found[1], today)
        return None if days is None else (_midnight(days[0]), _midnight(days[1]))
    except (ValueError, OverflowError):
        return None


def names_period(question: str) -> bool:
    """Return whether ``question`` names a period."""
    return without_period(question) != question


def without_period(question: str) -> str:
    """Return ``question`` without the period that it names."""
    text = fold(question, keep_enye=False)
    found = _named(text) if len(text) == len(question) else None
    if found is None:
        return question
    before = re.sub(r"\s*\b(?:en|del?|el|los|las|la|durante)\s*$", "", question[: found[1].start()])
    return before.rstrip() + question[found[1].end() :]


def _named(text: str, last_year: int = 2000) -> tuple[Callable[[re.Match[str], date], _Days], re.Match[str]] | None:
    """Return the first date of the most exact form that ``text`` has, and what reads it."""
    dates = _COMPARED.sub(_blank, _LAW.sub(_blank, text))
    dates = _OF_LAST_YEAR.sub(lambda found: found[1] + str(last_year).rjust(len(found[3])), dates)
    found = ((reader, pattern.search(dates)) for pattern, reader in _READERS)
    return next(((reader, match) for reader, match in found if match is not None), None)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _days_range(match: re.Match[str], today: date) -> _Days:
    first, month, year, last, end_month, end_year = match.groups()
    begin, end = _between((first, month or end_month, year), (last, end_month, end_year), today)
    return begin, end + timedelta(days=1)


def _range(match: re.Match[str], today: date) -> _Days:
    first, last = match.groups()[:5], match.groups()[5:]
    if first[3] and last[3]:
        years = sorted((int(first[3]), int(last[3])))
        return date(years[0], 1, 1), date(years[1] + 1, 1, 1)
    begin, end = _between(_begun(first, today), _ended(last, first, today), today)
    return begin, _next_month(end) if last[1] and not last[0] else end + timedelta(days=1)


def _begun(end: Sequence[str | None], today: date) -> Sequence[str | None]:
    """Return (day, month, year or None) of the beginning of an end of a range, as ``_END`` takes it apart."""
    day, month, year, only_year, relative = end
    if relative:
        return _as_written(_relative_days(relative, today)[0])
    return ("1", "enero", only_year) if only_year else (day or "1", month, year)


def _ended(end: Sequence[str | None], first: Sequence[str | None], today: date) -> Sequence[str | None]:
    """Return (day, month, year or None) of the last day, or the month, of a range that begins with ``first``."""
    day, month, year, only_year, relative = end
    if relative:
        return _as_written(_relative_days(relative, today)[1] - timedelta(days=1))
    if only_year:
        return "31", "diciembre", only_year
    written = (day or "1", month, year)
    # "De 2020 a marzo" ends with the latest March, not with that of 2020.
    return _as_written(_latest(written, today)) if first[3] and year is None else written


def _as_written(day: date) -> tuple[str, str, str]:
    return str(day.day), MONTH_NAMES[day.month - 1], str(day.year)


def _day(match: re.Match[str], today: date) -> _Days:
    side, *written = match.groups()
    day = _latest(written, _horizon(side, today))
    return _open(side, day, day + timedelta(days=1))


def _whole_month(match: re.Match[str], today: date) -> _Days:
    side, *written = match.groups()
    begin = _latest(["1", *written], _horizon(side, today))
    return _open(side, begin, _next_month(begin))


def _whole_year(match: re.Match[str], _: date) -> _Days:
    side, year = match.groups()
    return _open(side, date(int(year), 1, 1), date(int(year) + 1, 1, 1))


def _last_days(match: re.Match[str], today: date) -> _Days:
    begin = today - timedelta(days=int(match[2]) * _UNITS[match[3]])
    return _open(match[1], begin, today + timedelta(days=1))


def _relative(match: re.Match[str], today: date) -> _Days:
    return _open(match[1], *_relative_days(match[2], today))


def _relative_days(name: str, today: date) -> tuple[date, date]:
    words = name.split()
    if " ".join(words) not in _RELATIVE:
        return _days_before(words, today)
    first, last = _RELATIVE[" ".join(words)]
    return today + timedelta(days=first), today + timedelta(days=last)


def _days_before(words: Sequence[str], today: date) -> tuple[date, date]:
    """Return the latest weekday, weekend, week (from Monday), month or year that was over when ``today`` began."""
    weekday = next((number for number, name in enumerate(_WEEKDAYS) if name in words), None)
    if weekday is not None:
        begin = today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
        return begin, begin + timedelta(days=1)
    if "semana" in words:
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=2 if "fin" in words else 7), monday
    if "mes" in words:
        month = today.replace(day=1)
        return (month - timedelta(days=1)).replace(day=1), month
    return date(today.year - 1, 1, 1), date(today.year, 1, 1)


_READERS = (
    (_DAYS_RANGE, _days_range),
    (_RANGE, _range),
    (_DAY, _day),
    (_WHOLE_MONTH, _whole_month),
    (_WHOLE_YEAR, _whole_year),
    (_LAST_DAYS, _last_days),
    (_ANY_RELATIVE, _relative),
)


def _open(side: str | None, begin: date, end: date) -> _Days:
    """Return the days on one side of those from ``begin`` until ``end``, or these."""
    word = side and side.split()[0]
    if word in ("desde", "a"):
        return begin, None
    if word == "despues":
        return end, None
    if word == "antes":
        return None, begin
    return (None if word == "hasta" else begin), end


def _horizon(side: str | None, today: date) -> date:
    """Return up to when a day or month without a year may be that is on ``side`` of a period."""
    return today + _AHEAD if side and side.startswith(("antes", "hasta")) else today


def _between(first: Sequence[str | None], last: Sequence[str | None], today: date) -> tuple[date, date]:
    """Return two days, of (day, month, year or None): a missing year is that of the other, or the one beside."""
    if first[2] is not None and last[2] is None:
        begin = _latest(first, today)
        return begin, _of_years(last, range(begin.year, begin.year + _LEAP_YEARS), lambda day: day >= begin)
    end = _latest(last, today + _AHEAD)
    begin = _latest(first, end)
    if begin > today:
        end = _latest(last, today)
        begin = _latest(first, end)
    if begin > end:
        raise ValueError("it ends before it begins")
    return begin, end


def _latest(written: Sequence[str | None], today: date) -> date:
    """Return the day of (day, month, year or None) as it is written, or the latest up to ``today``."""
    if written[2] is not None:
        return _of_years(written, (int(written[2]),), lambda _: True)
    return _of_years(written, range(today.year, today.year - _LEAP_YEARS, -1), lambda day: day <= today)


def _of_years(written: Sequence[str | None], years: Iterable[int], fits: Callable[[date], bool]) -> date:
    day, month = int(written[0] or 0), _MONTHS[written[1] or ""]
    for year in years:
        if MINYEAR <= year <= MAXYEAR and 1 <= day <= monthrange(year, month)[1] and fits(date(year, month, day)):
            return date(year, month, day)
    raise ValueError("no year has this day")


def _next_month(day: date) -> date:
    return day.replace(day=1) + timedelta(days=monthrange(day.year, day.month)[1])


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=_BOGOTA).astimezone(UTC)


def written_day(moment: datetime) -> str:
    """Return the day in Bogotá as Spanish writes it: "3 de marzo de 2022"."""
    try:
        day = moment.astimezone(_BOGOTA)
    except OverflowError:
        day = moment
    return spanish_day(day)

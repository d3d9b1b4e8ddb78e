"""Polls of a CSV file: a row a poll, a column a candidate.

Columns are found by their name in any order and case, in English or Spanish. Separators are comma, semicolon or tab,
decimals have a point or (where the comma does not separate) a comma, and an empty cell, NA or - means not asked.
"""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite

from castor_chassis import fold, normalise
from forecast_service.errors import UnusablePolls
from forecast_service.polls.model import Poll

MOST_POLLS, MOST_CANDIDATES, MOST_COLUMNS = 600, 20, 40
# The first name that a header has is read, so names that may mean something else as well (a day of publication, the
# number of a row) stand last.
_COLUMNS = {
    "pollster": ("pollster", "encuestadora", "firma", "encuesta"),
    "since": ("since", "start", "desde", "fecha inicio"),
    "until": ("until", "end", "up to", "hasta", "fecha fin", "date", "fecha"),
    "sample_size": ("sample size", "sample", "muestra", "tamano de muestra", "n"),
}
_OTHERS = frozenset(
    (
        "margin of error",
        "margin",
        "margen de error",
        "error",
        "source",
        "fuente",
        "link",
        "url",
        "rating",
        "metodologia",
    )
)
_NOT_ASKED = frozenset(("", "na", "n/a", "-", "null"))
_MARK = re.compile(r"\[\w{1,3}\]|[\u200b-\u200f\ufeff]")
"""Footnotes and invisible characters of tables that were copied from the web."""
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_THOUSANDS = re.compile("[.,]")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the known columns of a file stand, and those of candidates with their names."""

    places: Mapping[str, int]
    candidates: Sequence[tuple[int, str]]


def polls_of(content: bytes) -> list[Poll]:
    """Return the polls of a CSV file; raises ``UnusablePolls`` naming the row and column that cannot be read."""
    lines = io.StringIO(_text(content), newline="")
    rows = csv.reader(lines, delimiter=_separator(lines))
    try:
        columns = _columns(next(rows, []))
        polls = [_poll(number, row, columns) for number, row in _filled(rows)]
    except csv.Error as error:
        raise UnusablePolls(reason=f"the file is not CSV ({error})") from error
    if not polls:
        raise UnusablePolls(reason="the file holds no row under its header")
    return polls


def _text(content: bytes) -> str:
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")  # the "Unicode text" of Excel
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what Excel writes under Windows in Spanish


def _separator(lines: io.StringIO) -> str:
    first = lines.readline()
    lines.seek(0)
    return max(",;\t", key=first.count)


def _filled(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows, start=2):
        if number > MOST_POLLS + 1:
            raise UnusablePolls(reason=f"there are more than {MOST_POLLS} rows")
        if any(cell.strip() for cell in row):
            yield number, row


def _plain(name: str) -> str:
    return " ".join(_MARK.sub("", normalise(name)).split())


def _key(name: str) -> str:
    return fold(name, keep_enye=False).replace("_", " ").strip()


def _columns(header: Sequence[str]) -> _Columns:
    """Return where each column stands; raises ``UnusablePolls`` where one is missing or stands twice.

    Columns without a name are left out: spreadsheets write them behind the last one.
    """
    filled = [(at, name) for at, name in enumerate(header) if name.strip()]
    if len(filled) > MOST_COLUMNS:
        raise UnusablePolls(reason=f"the header has {len(filled)} columns, and at most {MOST_COLUMNS} are read")
    named = {at: name for at, cell in filled if (name := _plain(cell))}
    keys = {at: _key(name) for at, name in named.items()}
    counts = Counter(keys.values())
    twice = [name for at, name in named.items() if counts[keys[at]] > 1]
    if twice:
        raise UnusablePolls(reason=f"the column '{min(twice)[:60]}' stands twice")
    return _Columns(_places(keys), [(at, name) for at, name in named.items() if not _is_known(keys[at])])


def _places(keys: Mapping[int, str]) -> Mapping[str, int]:
    """Return where each known column stands, by the first of its names that the header has."""
    at = {key: place for place, key in keys.items()}
    places = {}
    for column, names in _COLUMNS.items():
        found = next((at[name] for name in names if name in at), None)
        if found is not None:
            places[column] = found
        elif column != "since":
            raise UnusablePolls(reason=f"the header has no column '{column}' (or {', '.join(names[1:])})")
    return places


def _poll(number: int, row: Sequence[str], columns: _Columns) -> Poll:
    places = columns.places
    until = _date(number, _cell(row, places["until"]))
    begun = _cell(row, places["since"]) if "since" in places else ""
    since = _date(number, begun) if begun else until
    size = _size(number, _cell(row, places["sample_size"]))
    read = ((name, _number(number, name, _cell(row, at))) for at, name in columns.candidates)
    shares = tuple((name, share) for name, share in read if share is not None)
    return Poll(_cell(row, places["pollster"]), since, until, size, shares)


def _cell(row: Sequence[str], at: int) -> str:
    return _plain(row[at]) if at < len(row) else ""


def _is_known(key: str) -> bool:
    return key in _OTHERS or any(key in names for names in _COLUMNS.values())


def _date(number: int, cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError as error:
        raise UnusablePolls(reason=f"row {number} has the date '{cell[:40]}'; write it as 2022-05-20") from error


def _size(number: int, cell: str) -> int:
    """Return a whole number, which may have signs between its thousands: 1312, 1.312 or 1,312."""
    size = _number(number, "sample_size", _THOUSANDS.sub("", cell) if _GROUPED.fullmatch(cell) else cell)
    if size is None:
        raise UnusablePolls(reason=f"row {number} has no sample_size")
    if not size.is_integer():
        raise UnusablePolls(reason=f"row {number} has '{cell[:40]}' for sample_size; write a whole number, 1312")
    return int(size)


def _number(number: int, column: str, cell: str) -> float | None:
    if cell.lower() in _NOT_ASKED:
        return None
    try:
        value = float(cell.removesuffix("%").strip().replace(",", "."))
        if not isfinite(value):
            raise ValueError(cell)
    except ValueError as error:
        raise UnusablePolls(reason=f"row {number} has '{cell[:40]}' for {column[:40]}, which is no number") from error
    return value

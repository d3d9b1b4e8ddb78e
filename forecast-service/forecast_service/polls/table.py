"""Polls of a CSV file: a row a poll, a column a candidate.

Columns are found by their name in any order and case, in English or Spanish. Separators are comma, semicolon or tab,
decimals have a point or (where the comma does not separate) a comma, and an empty cell, NA or - means not asked.
"""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from datetime import date
from math import isfinite

from castor_chassis import fold, normalise
from forecast_service.errors import UnusablePolls
from forecast_service.polls.model import Poll

MOST_POLLS, MOST_CANDIDATES = 600, 20
_COLUMNS = {
    "pollster": ("pollster", "encuestadora", "encuesta", "firma"),
    "since": ("since", "start", "desde", "fecha inicio"),
    "until": ("until", "end", "date", "up to", "hasta", "fecha", "fecha fin"),
    "sample_size": ("sample size", "sample", "n", "muestra", "tamano de muestra"),
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


def polls_of(content: bytes) -> list[Poll]:
    """Return the polls of a CSV file; raises ``UnusablePolls`` naming the row and column that cannot be read."""
    lines = io.StringIO(_text(content), newline="")
    rows = csv.reader(lines, delimiter=_separator(lines))
    try:
        header = [_plain(name) for name in next(rows, [])]
        places = _places(header)
        polls = [_poll(number, row, header, places) for number, row in _filled(rows)]
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


def _places(header: list[str]) -> Mapping[str, int]:
    """Return where each known column stands; raises ``UnusablePolls`` where one is missing or stands twice."""
    keys = [_key(name) for name in header]
    places = {}
    for column, names in _COLUMNS.items():
        found = [keys.index(name) for name in names if name in keys]
        if found:
            places[column] = found[-1] if column == "until" else found[0]
        elif column != "since":
            raise UnusablePolls(reason=f"the header has no column '{column}' (or {', '.join(names[1:])})")
    twice = {name for name in header if keys.count(_key(name)) > 1}
    if twice:
        raise UnusablePolls(reason=f"the column '{min(twice)}' stands twice")
    return places


def _poll(number: int, row: list[str], header: list[str], places: Mapping[str, int]) -> Poll:
    cells = [*(_plain(cell) for cell in row), *[""] * (len(header) - len(row))]
    until = _date(number, cells[places["until"]])
    since = _date(number, cells[places["since"]]) if "since" in places and cells[places["since"]] else until
    size = _number(number, "sample_size", cells[places["sample_size"]])
    if size is None:
        raise UnusablePolls(reason=f"row {number} has no sample_size")
    taken = {*places.values(), *(at for at, name in enumerate(header) if _is_known(name))}
    candidates = [(name, cells[at]) for at, name in enumerate(header) if name and at not in taken]
    read = ((name, _number(number, name, cell)) for name, cell in candidates)
    shares = tuple((name, share) for name, share in read if share is not None)
    return Poll(cells[places["pollster"]], since, until, int(size), shares)


def _is_known(name: str) -> bool:
    key = _key(name)
    return key in _OTHERS or any(key in names for names in _COLUMNS.values())


def _date(number: int, cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError as error:
        raise UnusablePolls(reason=f"row {number} has the date '{cell[:40]}'; write it as 2022-05-20") from error


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

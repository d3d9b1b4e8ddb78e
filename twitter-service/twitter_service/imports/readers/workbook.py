"""Workbooks of Excel (.xlsx) as CSV: the first sheet that holds anything, row by row, in bounded memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import IO, Any

from twitter_service.errors import BrokenWorkbook
from twitter_service.imports.readers.base import Recognised

WORKBOOK = "xl/workbook.xml"
MAX_ROWS = 1_048_576
"""Rows of a sheet of Excel; a file that claims more is broken."""
MAX_COLUMNS = 500
_ROWS_A_PART = 500
_EXACT = 10**15
"""Excel keeps 15 digits of a number: a longer id that was typed in as one is not the id any more."""


def csv_of_workbook(file: IO[bytes], recognised: Recognised) -> Iterator[bytes]:
    """Yield the rows of a sheet as CSV in UTF-8, each row of the sheet one record; raises ``BrokenWorkbook``."""
    # 5 MB of memory that only this format needs.
    from openpyxl import load_workbook

    try:
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            parts = _parts(sheet.iter_rows())
            first = next(parts, b"")
            if first.strip():
                recognised.notes.append(f"the sheet {sheet.title[:100]!r} of a workbook, of {len(book.worksheets)}")
                yield first
                yield from parts
                return
    except BrokenWorkbook:
        raise
    except MemoryError as error:
        raise BrokenWorkbook(why="it takes more memory than a workbook may") from error
    except Exception as error:  # the library raises what its parsers happen to
        raise BrokenWorkbook(why=f"{type(error).__name__}: {error}"[:200]) from error


def _parts(rows: Iterable[Any]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise BrokenWorkbook(why=f"it claims more than {MAX_ROWS} rows")
        values = [_text(cell) for cell in row[:MAX_COLUMNS]]
        while values and not values[-1]:
            values.pop()
        writer.writerow(values)
        if number % _ROWS_A_PART == 0:
            yield text.getvalue().encode(errors="replace")
            text.seek(0)
            text.truncate()
    if rest := text.getvalue():
        yield rest.encode(errors="replace")


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time() and "h" not in str(cell.number_format).lower():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return str(value).replace("_x000D_", "").replace("\r\n", "\n")


def _number(value: float) -> str:
    if abs(value) >= _EXACT:
        return f"{value:.14E}"
    return str(int(value)) if value == int(value) else repr(value)

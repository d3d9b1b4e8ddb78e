"""Files as people have them: workbooks, archives, forms; and what an import says that it recognised."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from twitter_service.errors import ArchiveNotSingle, BrokenArchive, BrokenWorkbook, UnpackedTooLarge
from twitter_service.imports.readers.base import Recognised
from twitter_service.imports.readers.gzip_stream import unpacked
from twitter_service.imports.readers.workbook import csv_of_workbook

from ..conftest import FIRST_ID, Twitter, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = [(FIRST_ID + n, "ana", "2022-05-01T15:00:00Z", f"tuit {n}") for n in range(3)]
CSV = csv_of(ROWS).encode()


def zip_of(method: int = zipfile.ZIP_DEFLATED, **files: bytes) -> bytes:
    """Return an archive of files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def workbook(*sheets: list[list[Any]]) -> bytes:
    """Return a workbook of sheets."""
    book, data = Workbook(), io.BytesIO()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Hoja {number}")
        for row in rows:
            sheet.append(row)
    book.save(data)
    return data.getvalue()


async def read(data: bytes, max_bytes: int = 10_000_000) -> tuple[bytes, Recognised]:
    """Unpack an upload that arrives in small pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]

    recognised = Recognised()
    return b"".join([part async for part in unpacked(pieces(), max_bytes, recognised)]), recognised


async def test_a_workbook(twitter: Twitter) -> None:
    """The first sheet that holds anything is read: texts, dates with and without a time; a row is a line."""
    head = ["Id", "Usuario", "Fecha", "Texto"]
    rows = [
        head,
        [str(FIRST_ID), "ana", datetime(2022, 5, 1, 15), 'uno, "dos"\ntres; ñ'],
        [str(FIRST_ID + 1), "ana", date(2022, 5, 2), "día"],
        [FIRST_ID + 2, "ana", datetime(2022, 5, 1, 15), "redondeado por Excel"],
        [12345, "ana", "2022-05-01T15:00:00Z", 815],
    ]
    done = await twitter.imported(workbook([], rows, [["otra"]]))
    assert (done["rows"], done["accepted"]) == (4, 3)
    assert [one["line"] for one in done["rejections"]] == [4]
    assert "spreadsheets round long ids" in done["rejections"][0]["reason"]
    assert "the sheet 'Hoja 2' of a workbook, of 3" in done["notes"]
    assert any("id is 'Id'" in note or "username is 'Usuario'" in note for note in done["notes"])
    first, day = await twitter.data(f"/tweets/{FIRST_ID}"), await twitter.data(f"/tweets/{FIRST_ID + 1}")
    assert (first["text"], first["created_at"]) == ('uno, "dos"\ntres; ñ', "2022-05-01T15:00:00.000Z")
    assert day["created_at"] == "2022-05-02T05:00:00.000Z"
    assert (await twitter.data("/tweets/12345"))["text"] == "815"


async def test_packed_files(twitter: Twitter) -> None:
    """gzip and a zip of one file hold the same tweets as the file itself, also beside what macOS adds."""
    packed = [gzip.compress(CSV), zip_of(**{"tuits.csv": CSV, "__MACOSX/._tuits.csv": b"x", ".DS_Store": b"x"})]
    for content, note in zip(packed, ["compressed by gzip", "the file 'tuits.csv' of a zip archive"], strict=True):
        done = await twitter.imported(content)
        assert done["rows"] == 3
        assert done["notes"] == [note]


async def test_a_form(twitter: Twitter) -> None:
    """A browser's form with one file is the file, and says its name."""
    answer = await twitter.service.client.post(
        "/v1/twitter/imports", files={"file": ("mayo.csv", CSV, "text/csv")}, headers=twitter.headers
    )
    assert answer.status_code == 201, answer.text
    done = answer.json()["data"]
    assert (done["accepted"], done["filename"]) == (3, "mayo.csv")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"data": {"dataset": "x"}, "files": {"file": ("a.csv", CSV)}}, "the field 'dataset'"),
        ({"files": [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]}, "behind the file"),
        ({"content": b"--x--\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "holds no file"),
        ({"content": b"nothing", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "cannot be read"),
        ({"content": CSV, "headers": {"content-type": "multipart/form-data"}}, "has no boundary"),
        ({"content": b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + CSV,
          "headers": {"content-type": "multipart/form-data; boundary=x"}}, "breaks off"),
    ],
)  # fmt: skip
async def test_a_form_that_is_not_one_file(twitter: Twitter, parts: dict[str, Any], said: str) -> None:
    """Anything else in a form is refused with a sentence, never half understood."""
    headers = {**twitter.headers, **parts.pop("headers", {})}
    answer = await twitter.service.client.post("/v1/twitter/imports", headers=headers, **parts)
    assert (answer.status_code, answer.json()["code"]) == (422, "import_bad_form")
    assert said in answer.json()["error"]


async def test_a_workbook_that_is_none_is_called_so(twitter: Twitter) -> None:
    """Bytes that are named like a workbook and are neither one nor text: the answer is not about their characters."""
    for name in ("mayo.xlsx", "MAYO.XLS"):
        answer = await twitter.upload(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\n\x00\xff" * 50, filename=name)
        assert answer.json()["code"] == "import_broken_workbook"
        assert "neither a workbook of Excel 2007 or later nor text" in answer.json()["error"]
        assert "encoding=windows-1252" in answer.json()["error"]
    assert (await twitter.imported(CSV, filename="mayo.xlsx"))["accepted"] == 3


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png", "text/html; charset=utf-8"])
async def test_other_types_are_415(twitter: Twitter, media_type: str) -> None:
    """A file of another type is refused with the types that are taken."""
    headers = {**twitter.headers, "content-type": media_type}
    answer = await twitter.service.client.post("/v1/twitter/imports", content=CSV, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert media_type in answer.json()["error"]
    assert "text/csv" in answer.json()["error"]


async def test_what_was_recognised_is_said(twitter: Twitter) -> None:
    """Separator, columns, characters and dates that the import understood stand in its answer."""
    table = f"id;usuario;fecha;texto\n{FIRST_ID};ana;29/05/2022;año\n".encode("cp1252")
    done = await twitter.imported(table, dates="dmy", encoding="windows-1252")
    assert done["notes"] == [
        "1 lines that are not UTF-8 were read as Windows-1252",
        "the separator is the semicolon",
        "columns: username is 'usuario', created_at is 'fecha', text is 'texto'",
        "dates with slashes are read as dmy",
        "1 dates without a time are the beginning of that day in Bogotá",
    ]
    assert (await twitter.data(f"/imports/{done['id']}"))["notes"] == done["notes"]
    assert (await twitter.imported(CSV.decode().encode("utf-16")))["notes"] == ["the characters are UTF-16"]
    assert (await twitter.imported(CSV))["notes"] == []


async def test_an_archive_of_countless_empty_files_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table of contents is bounded in bytes, before any of its entries takes memory."""
    made: list[None] = []
    monkeypatch.setattr(zipfile.ZipInfo, "__init__", lambda *_, **__: made.append(None))
    head, entry = b"PK\x03\x04" + bytes(26), b"PK\x01\x02" + bytes(42)
    count = 25_000
    size = len(entry) * count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, len(head), 0)
    with pytest.raises(BrokenArchive, match="its table of contents is larger than 1048576 bytes"):
        await read(head + entry * count + end)
    assert made == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (zip_of(**{"a.csv": CSV, "b.csv": CSV}), ArchiveNotSingle),
        (zip_of(), ArchiveNotSingle),
        (zip_of(**{"a.csv": bytes(20_000_000)}), UnpackedTooLarge),
        (zip_of(zipfile.ZIP_BZIP2, **{"a.csv": CSV}), BrokenArchive),
        (zip_of(**{"a.csv.gz": gzip.compress(CSV)}), BrokenArchive),
        (zip_of(**{"a.csv": CSV})[:-30], BrokenArchive),
        (zip_of(**{"a.csv": CSV * 50}).replace(b"a.csv", b"b.csv", 1), BrokenArchive),
        (zip_of(**{"a.csv": CSV})[:4] + zip_of(**{"a.csv": CSV})[15:], BrokenArchive),
        (zip_of(**{"xl/workbook.xml": b"<x"}), BrokenWorkbook),
        (workbook([["id"]])[:-40], BrokenArchive),
    ],
)
async def test_broken_and_boundless_archives(data: bytes, error: type[Exception]) -> None:
    """What an archive unpacks to is bounded before it is unpacked, and what is broken is said to be."""
    with pytest.raises(error):
        await read(data)


async def test_a_sheet_that_claims_more_rows_than_excel_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row number beyond the last row of Excel ends the import instead of being counted up to."""
    monkeypatch.setattr("twitter_service.imports.readers.workbook.MAX_ROWS", 10_000)
    data = changed(workbook([["id"], ["1"]]), b'<row r="2"', b'<row r="1999999999"')
    with pytest.raises(BrokenWorkbook, match="more than 10000 rows"):
        list(csv_of_workbook(io.BytesIO(changed(data, b'"A2"', b'"A1999999999"')), Recognised()))


async def test_a_cell_of_gigabytes_ends_its_own_import_alone() -> None:
    """What a small workbook unpacks to is held in a process with a bound of its memory; the next one is read."""
    data = changed(workbook([["id"], ["mucho"]]), b"mucho", b"x" * 60_000_000)
    assert len(data) < 100_000
    with pytest.raises(BrokenWorkbook, match="more memory|ends the process"):
        await read(data, max_bytes=100_000_000)
    assert (await read(workbook([["id"], ["1"]])))[0] == b"id\n1\n"


def changed(book: bytes, old: bytes, new: bytes) -> bytes:
    """Return a workbook with some bytes of its parts replaced."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(old, new))
    return data.getvalue()


async def test_a_table_that_begins_like_an_archive() -> None:
    """A header such as PK is a header."""
    data, recognised = await read(b"PK,id\n1,2\n")
    assert (data, recognised.notes) == (b"PK,id\n1,2\n", [])

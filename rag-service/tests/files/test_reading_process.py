"""Files that are expensive, or fatal, to read; and whose turn it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from castor_chassis import DatabaseUnavailable, Postgres
from castor_chassis.testing import importable, until
from rag_service.documents.model import Access
from rag_service.errors import FileUnreadable
from rag_service.files.model import Section, Upload
from rag_service.files.reading_process import ReadingProcess
from rag_service.files.repository import FileRepository
from rag_service.files.worker import FileReader

QUADRATIC = b"<blockquote>x" * 300_000
"""Takes hours: for each tag the parser looks through all that are within it."""


async def test_a_file_that_takes_hours_is_given_up() -> None:
    """Its process is ended, and it says what to do; the next file is read."""
    with pytest.raises(FileUnreadable, match=r"takes longer than 2 s to read; send its parts"):
        await ReadingProcess(2).passages("text/html", QUADRATIC)
    assert await ReadingProcess(60).passages("text/plain", b"Bien.") == [Section(None, "Bien.")]


async def test_a_reader_that_is_stopped_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of the service the process ends as well."""
    noted = tmp_path / "pid"
    code = f"def answering(): import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    slow = ReadingProcess(600, answering=importable(monkeypatch, tmp_path, code).answering)
    reading = asyncio.create_task(slow.passages("text/plain", b"x"))

    async def has_begun() -> bool:
        return noted.exists() and noted.read_text().isdigit()

    await until(has_begun)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


@pytest.mark.parametrize("end", ["os.abort()", "sys.exit(3)", "bytearray(4 << 30)"])
async def test_a_file_that_ends_its_process_is_refused(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes a parser crash, or takes too much memory, is the file's error and not the service's."""
    code = f"import os, sys\ndef answering(): return lambda question: {end}"
    hostile = ReadingProcess(60, answering=importable(monkeypatch, tmp_path, code).answering)
    with pytest.raises(FileUnreadable, match="ends the process that reads it"):
        await hostile.passages("text/plain", b"x")


async def test_organisations_take_turns(postgres: Postgres) -> None:
    """Many files of one hold up its own only."""
    files = FileRepository(postgres)
    for org, number in (("acme", 1), ("acme", 2), ("acme", 3), ("alba", 1)):
        upload = Upload(f"{number}", "text/plain", f"{org} {number}".encode(), "programa")
        await files.add(Access(org, (), "user:ana"), upload)
    turns = []
    while (waiting := await files.next_unread()) is not None:
        file, content = waiting
        turns.append(content.decode())
        await files.end(file, None)
    assert turns == ["acme 1", "alba 1", "acme 2", "acme 3"]


async def test_a_file_on_which_the_service_fails_holds_up_no_other(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as failed, in words, and the one behind it is read; sent again, it is tried again."""
    good = b'{"passages": [[null, "Bien.", null]]}'
    code = f"def answering(): return lambda question: [{good!r} if question.endswith(b'bien') else b'no JSON']"
    process = ReadingProcess(60, answering=importable(monkeypatch, tmp_path, code).answering)
    files = FileRepository(postgres)
    reader = FileReader(files, process)
    access = Access("acme", (), "user:ana")
    uploads = [Upload(name, "text/plain", name.encode(), "programa") for name in ("mal", "bien")]
    broken, whole = [(await files.add(access, upload)).id for upload in uploads]
    assert [await reader.step() for _ in range(3)] == [True, True, False]
    assert (await files.file(access, whole)).state == "done"
    failed = await files.file(access, broken)
    assert failed.state == "failed"
    assert "send the file again" in str(failed.error)
    assert (await files.add(access, uploads[0])).state == "waiting"


async def test_an_outage_of_the_database_fails_no_file(postgres: Postgres) -> None:
    """The file waits until PostgreSQL is back, and is read then."""
    away = FileRepository(Postgres("postgresql://nobody@127.0.0.1:1/none"))
    files, access = FileRepository(postgres), Access("acme", (), "user:ana")
    broken = FileRepository(postgres)
    broken.store_passages = away.store_passages  # type: ignore[method-assign]
    upload = Upload("plan", "text/plain", b"Un hospital.", "programa")
    file = await files.add(access, upload)
    with pytest.raises(DatabaseUnavailable):
        await FileReader(broken, ReadingProcess(60)).step()
    assert (await files.file(access, file.id)).state == "waiting"
    assert await FileReader(files, ReadingProcess(60)).step()
    assert (await files.file(access, file.id)).state == "done"

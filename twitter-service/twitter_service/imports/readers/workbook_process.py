"""Reads a workbook in a process of its own.

The parts of a workbook are XML of which the library holds a cell, and all shared texts, in memory: a file of a megabyte
can unpack to gigabytes of one cell.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from typing import IO

from castor_chassis import ChildLate, ChildLost, ChildProcess
from castor_chassis.background.child_loop import Answer
from twitter_service.errors import BrokenWorkbook
from twitter_service.imports.readers.base import Recognised
from twitter_service.imports.readers.workbook import csv_of_workbook

MEMORY_MB = 256
"""With the service's own below what its container may take."""
PART_SECONDS = 120
"""Until the next 500 rows, the shared texts of the workbook included: those of a million rows take a third of it."""
_NOTE, _PART, _ERROR = b"N", b"P", b"E"


async def csv_of_workbook_apart(file: IO[bytes], recognised: Recognised) -> AsyncGenerator[bytes]:
    """Yield what ``csv_of_workbook`` yields, of a file on disk; raises ``BrokenWorkbook``."""
    descriptor = await asyncio.to_thread(_written, file)
    process = ChildProcess(answering, seconds=PART_SECONDS, memory_mb=MEMORY_MB, pass_fds=(descriptor,))
    try:
        async for message in process.parts(str(descriptor).encode()):
            kind, content = message[:1], message[1:]
            if kind == _PART:
                yield content
            elif kind == _NOTE:
                recognised.notes.append(content.decode())
            else:
                raise BrokenWorkbook(why=content.decode())
    except ChildLate as error:
        raise BrokenWorkbook(why=f"500 rows of it take longer than {PART_SECONDS} s to read") from error
    except ChildLost as error:
        raise BrokenWorkbook(why="it ends the process that reads it") from error
    finally:
        await process.close()


def _written(file: IO[bytes]) -> int:
    file.flush()
    return file.fileno()


def answering() -> Answer:
    """Return what answers in the process: the number of an open file with its notes and parts, or what is wrong."""
    return _messages


def _messages(question: bytes) -> Iterable[bytes]:
    recognised = Recognised()
    try:
        with os.fdopen(int(question), "rb") as file:
            for part in csv_of_workbook(file, recognised):
                while recognised.notes:
                    yield _NOTE + recognised.notes.pop(0).encode()
                yield _PART + part
    except BrokenWorkbook as error:
        yield _ERROR + error.details["why"].encode(errors="replace")

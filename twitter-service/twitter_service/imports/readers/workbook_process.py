"""Reads a workbook in a process of its own.

The parts of a workbook are XML of which the library holds a cell, and all shared texts, in memory: a file of a megabyte
can unpack to gigabytes of one cell.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

from twitter_service.errors import BrokenWorkbook
from twitter_service.imports.readers.base import Recognised
from twitter_service.imports.readers.workbook import csv_of_workbook

MEMORY_BYTES = 256 << 20
"""With the service's own below what its container may take."""
_COMMAND = (sys.executable, "-m", "twitter_service.imports.readers.workbook_process")
_LENGTH_BYTES = 8
_NOTE, _PART, _ERROR, _END = b"N", b"P", b"E", b"."


def csv_of_workbook_apart(file: IO[bytes], recognised: Recognised) -> Iterator[bytes]:
    """Yield what ``csv_of_workbook`` yields, of a file on disk; raises ``BrokenWorkbook``."""
    file.flush()
    # No environment: what reads untrusted files has no use for the passwords in it.
    with subprocess.Popen(_COMMAND, stdin=file.fileno(), stdout=subprocess.PIPE, env={}) as process:
        assert process.stdout is not None
        try:
            for kind, content in _messages(process.stdout):
                if kind == _PART:
                    yield content
                elif kind == _NOTE:
                    recognised.notes.append(content.decode())
                else:
                    raise BrokenWorkbook(why=content.decode())
        finally:
            process.kill()


def _messages(pipe: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    while kind := pipe.read(1):
        if kind == _END:
            return
        yield kind, pipe.read(int.from_bytes(pipe.read(_LENGTH_BYTES), "big"))
    raise BrokenWorkbook(why="it ends the process that reads it")


def main() -> None:
    """Read the workbook of the standard input, and say its parts, or what is wrong with it."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    recognised = Recognised()
    try:
        for part in csv_of_workbook(sys.stdin.buffer, recognised):
            while recognised.notes:
                _say(_NOTE, recognised.notes.pop(0).encode())
            _say(_PART, part)
        sys.stdout.buffer.write(_END)
    except BrokenWorkbook as error:
        _say(_ERROR, error.details["why"].encode(errors="replace"))


def _say(kind: bytes, content: bytes) -> None:
    sys.stdout.buffer.write(kind + len(content).to_bytes(_LENGTH_BYTES, "big") + content)


if __name__ == "__main__":
    main()

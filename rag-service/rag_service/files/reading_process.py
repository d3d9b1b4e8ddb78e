"""Reads a file in a process of its own, which is ended when it takes too long.

The time that parsers need is not linear in what they are given, and some of them are C: on a thread a file of nested
tags would hold up the service, and every file behind it, for hours.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from rag_service.errors import FileUnreadable
from rag_service.files.chunking import passages_of
from rag_service.files.model import Section
from rag_service.files.parsing import sections_of

_MODULE = (sys.executable, "-m", "rag_service.files.reading_process")


@dataclass(frozen=True, slots=True)
class ReadingProcess:
    """Starts a process for each file; it has ``seconds``, start included, and ``memory_mb`` of data."""

    seconds: float
    memory_mb: int = 256
    command: Sequence[str] = _MODULE

    async def passages(self, media_type: str, content: bytes) -> list[Section]:
        """Return the passages of a file, in order; raises ``FileUnreadable``, for one that ends its process as well."""
        # No environment: what reads untrusted files has no use for the passwords in it.
        process = await asyncio.create_subprocess_exec(
            *self.command, media_type, str(int(self.seconds) + 1), str(self.memory_mb), stdin=PIPE, stdout=PIPE, env={}
        )
        try:
            async with asyncio.timeout(self.seconds):
                answer, _ = await process.communicate(content)
        except TimeoutError as error:
            raise FileUnreadable(reason=f"it takes longer than {self.seconds:g} s to read; send its parts") from error
        finally:
            await _end(process)
        if process.returncode != 0:
            raise FileUnreadable(reason="it ends the process that reads it; send its text, or its parts")
        found = orjson.loads(answer)
        if "unreadable" in found:
            raise FileUnreadable(reason=found["unreadable"])
        return [Section(*passage) for passage in found["passages"]]


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def main(media_type: str, seconds: str, memory_mb: str) -> None:
    """Read the file of the standard input, and write its passages, or why there are none, as JSON."""
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_mb) << 20,) * 2)
    # Its own limit too, for the case that whoever started it is not there any more.
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    try:
        passages = passages_of(sections_of(media_type, sys.stdin.buffer.read()))
        answer = {"passages": [(each.heading, each.text, each.page) for each in passages]}
    except FileUnreadable as error:
        answer = {"unreadable": error.details["reason"]}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A child process that parses long files, so that parsing and storing do not share one interpreter."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from twitter_service.imports.parser import LENGTH_BYTES, Job, ParsedPiece
from twitter_service.imports.readers.base import Block
from twitter_service.matching.entities import Matcher

END_SECONDS = 5
_MAX_BUFFERED = 1 << 22
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ParsedPiece).decode


class ParserLost(Exception):
    """The process has ended or gave an answer that cannot be read; its caller parses the same lines itself."""


def has_processor_to_spare() -> bool:
    """True where a second process has a processor of its own."""
    return len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) > 1


class ParserProcess:
    """One process, for one import; it takes jobs as soon as ``is_ready``."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._starting = asyncio.ensure_future(self._start())
        self._knows_revision: int | None = None

    @property
    def is_ready(self) -> bool:
        """True while jobs can be given."""
        return self._starting.done() and not self._starting.cancelled() and self._starting.exception() is None

    @property
    def pid(self) -> int | None:
        """Id of the process, None before it was started."""
        return self._process.pid if self._process else None

    async def parse_and_match(self, blocks: Sequence[Block], matcher: Matcher, revision: int) -> ParsedPiece:
        """See ``parser.parse_and_match``; raises ``ParserLost``."""
        terms = None if revision == self._knows_revision else matcher.terms
        self._knows_revision = revision
        try:
            await self._send(_encode(Job(list(blocks), revision, terms)))
            return _decode(await self._receive())
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            raise ParserLost(str(error)) from error

    async def close(self) -> None:
        """End the process."""
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        # A session of its own, so that an interrupt from the terminal does not reach it. No environment, because a
        # process that reads untrusted files has no use for the passwords in it.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "twitter_service.imports.parser",
            stdin=PIPE, stdout=PIPE, limit=_MAX_BUFFERED, start_new_session=True, env={},
        )  # fmt: skip
        await self._receive()

    async def _send(self, job: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(len(job).to_bytes(LENGTH_BYTES, "big"))
        self._process.stdin.write(job)
        await self._process.stdin.drain()

    async def _receive(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        length = await self._process.stdout.readexactly(LENGTH_BYTES)
        return await self._process.stdout.readexactly(int.from_bytes(length, "big"))

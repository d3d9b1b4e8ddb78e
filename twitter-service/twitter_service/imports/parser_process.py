"""A child process that parses long files, so that parsing and storing do not share one interpreter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import msgspec

from castor_chassis import ChildLate, ChildLost, ChildProcess
from twitter_service.imports.parser import Job, ParsedPiece, answering
from twitter_service.imports.readers.base import Block
from twitter_service.matching.entities import Matcher

PIECE_SECONDS = 60
MEMORY_MB = 512
"""Of the process's data; a piece of a file takes some tens."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ParsedPiece).decode


class ParserLost(Exception):
    """The process has ended or gave an answer that cannot be read; its caller parses the same lines itself."""


class ParserLate(Exception):
    """The process took longer than ``PIECE_SECONDS``; nobody parses these lines, and the next ones start it anew."""


def has_processor_to_spare() -> bool:
    """True where a second process has a processor of its own."""
    return len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) > 1


class ParserProcess:
    """One process, for one import; it takes jobs as soon as ``is_ready``."""

    def __init__(self) -> None:
        self._process = ChildProcess(answering, seconds=PIECE_SECONDS, memory_mb=MEMORY_MB)
        self._starting = asyncio.ensure_future(self._process.start())
        self._knows_revision: int | None = None

    @property
    def is_ready(self) -> bool:
        """True while jobs can be given."""
        return self._starting.done() and not self._starting.cancelled() and self._starting.exception() is None

    @property
    def pid(self) -> int | None:
        """Id of the process, None while there is none."""
        return self._process.pid

    async def parse_and_match(self, blocks: Sequence[Block], matcher: Matcher, revision: int) -> ParsedPiece:
        """See ``parser.parse_and_match``; raises ``ParserLate``, or ``ParserLost``, after which this is of no use."""
        terms = None if revision == self._knows_revision else matcher.terms
        self._knows_revision = revision
        try:
            return _decode(await self._process.ask(_encode(Job(list(blocks), revision, terms))))
        except ChildLate as error:
            self._knows_revision = None
            raise ParserLate(str(error)) from error
        except (ChildLost, msgspec.MsgspecError) as error:
            raise ParserLost(str(error)) from error

    async def close(self) -> None:
        """End the process."""
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        await self._process.close()

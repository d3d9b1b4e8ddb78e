"""One import: a file arrives in pieces and is parsed, matched and stored, in constant memory.

While a piece is being stored, the next one is parsed. A piece and the checkpoint behind it are stored in one
transaction, so an import that breaks off goes on from there when the same file comes again.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from msgspec import structs

from castor_chassis import ServiceError
from twitter_service.datasets.repository import DatasetRepository
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityRepository
from twitter_service.entities.tweet_writer import InThread, TweetWriter
from twitter_service.errors import BrokenWorkbook, EmptyImport, ImportDiffers, NotUtf8
from twitter_service.imports.author_entities import author_entities
from twitter_service.imports.model import Attempt, Chunk, ImportLimits, ImportOptions, Tally
from twitter_service.imports.parser import ParsedPiece, parse_and_match, rejected
from twitter_service.imports.parser_process import (
    PIECE_SECONDS,
    ParserLate,
    ParserLost,
    ParserProcess,
    has_processor_to_spare,
)
from twitter_service.imports.readers.base import Block, Format, Frame, Recognised
from twitter_service.imports.readers.encoding import as_utf8
from twitter_service.imports.readers.gzip_stream import cut, unpacked
from twitter_service.imports.readers.tweet_file import Checkpoint, TweetFile
from twitter_service.imports.repository import ImportRepository
from twitter_service.matching.entities import Matcher
from twitter_service.metrics import PARSERS_LOST, TWEETS
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import Author
from twitter_service.tweets.upsert_repository import Added

HEAD_BYTES = 64 * 1024
"""A file is recognised by the digest of so many first bytes; shorter ones are not resumed."""
TOO_SLOW = f"this line and those around it take longer than {PIECE_SECONDS} s to read; check whether they are tweets"
MAX_AUTHORS = 50_000
"""Authors that one import tells apart, so that its memory stays bounded."""

log = structlog.get_logger("castor.twitter.import")


@dataclass(frozen=True)
class ImportTools:
    """What every import uses."""

    imports: ImportRepository
    datasets: DatasetRepository
    entities: EntityRepository
    writer: TweetWriter
    rematcher: Rematcher
    in_thread: InThread
    limits: ImportLimits


_NO_WORKBOOK = (
    "it is neither a workbook of Excel 2007 or later nor text in UTF-8; "
    "if it is text of Windows, send it with encoding=windows-1252"
)


@contextmanager
def _named(filename: str | None, tally: Tally) -> Iterator[None]:
    """Tell the sender of a broken workbook about that, not about the characters of a text that it never was."""
    try:
        yield
    except NotUtf8 as error:
        if tally.rows == 0 and (filename or "").lower().endswith((".xlsx", ".xls")):
            raise BrokenWorkbook(why=_NO_WORKBOOK) from error
        raise


class ImportRun:
    """One import under way."""

    def __init__(self, tools: ImportTools, options: ImportOptions) -> None:
        self._tools = tools
        self._options = options
        self._attempt = Attempt(uuid.uuid4().hex)
        self._head_digest = ""
        self._recognised = Recognised()
        self._file = TweetFile(options.format, options.table)
        self._tally = Tally()
        self._authors: Counter[str] = Counter()
        self._seen_authors: dict[str, Author] = {}
        self._has_begun = False
        self._accounts: set[str] = set()
        self._storing: asyncio.Task[None] | None = None
        self._parser: ParserProcess | None = None
        self._has_lost_parser = False

    async def import_all(self, pieces: AsyncIterator[bytes]) -> str:
        """Import the whole file and return the id of the import; for the errors see ``ImportService.run``."""
        limits = self._tools.limits
        try:
            plain = unpacked(pieces, limits.max_unpacked_bytes, self._recognised)
            text = as_utf8(plain, self._options.encoding, self._recognised)
            with _named(self._options.filename, self._tally):
                await self._import(cut(text, limits.piece_bytes))
            if self._tally.rows == 0:
                raise EmptyImport
            await self._tools.imports.end(self._attempt, await self._track_authors(), self._notes())
        except BaseException as error:
            await self._record_failure(error)
            raise
        finally:
            if self._parser:
                await asyncio.shield(self._parser.close())
        log.info("imported", import_id=self._id, accepted=self._tally.accepted, rejected=self._tally.rejected)
        return self._id

    async def _import(self, pieces: AsyncIterator[bytes]) -> None:
        first = await anext(pieces, b"")
        if self._recognised.is_sheet:
            self._file = TweetFile("csv", replace(self._options.table, is_sheet=True))
        self._head_digest = hashlib.sha256(first[:HEAD_BYTES]).hexdigest()
        rest = await self._resume(first, pieces)
        await self._tools.writer.refresh()
        async for data in pieces:
            self._start_parser()
            await self._import_piece(self._file.read, rest)
            rest = data
        await self._import_piece(self._file.read_last, rest)
        await self._finish_storing()

    @property
    def _id(self) -> str:
        return self._attempt.id

    def _notes(self) -> list[str]:
        return [*self._recognised.notes, *self._file.notes()]

    async def _resume(self, first: bytes, pieces: AsyncIterator[bytes]) -> bytes:
        """Skip what an earlier attempt has stored, and return what is left of the last piece read."""
        if not self._options.resume or len(first) < HEAD_BYTES:
            return first
        earlier = await self._tools.imports.claim(self._head_digest, self._options)
        if earlier is None:
            return first
        self._attempt, self._has_begun = earlier.attempt, True
        left, piece = earlier.checkpoint.offset, first
        while piece and left > len(piece):
            await self._tools.in_thread(self._file.skip, piece)
            left -= len(piece)
            piece = await anext(pieces, b"")
        self._file.skip(piece[:left])
        if not self._file.resume(earlier.checkpoint):
            raise ImportDiffers(import_id=self._id, offset=earlier.checkpoint.offset)
        self._tally, self._accounts = earlier.tally, set(earlier.accounts)
        begin, end = self._tally.first_tweet_at, self._tally.last_tweet_at
        if self._options.track_authors and begin and end:
            self._authors = await self._tools.imports.authors(self._id, begin, end, MAX_AUTHORS)
        log.info("import_resumed", import_id=self._id, offset=earlier.checkpoint.offset)
        return piece[left:]

    def _start_parser(self) -> None:
        """Start a process that parses a long file of JSON; until it is ready, a thread parses."""
        is_wanted = self._tools.limits.parses_apart and self._file.format == "jsonl" and has_processor_to_spare()
        if is_wanted and self._parser is None and not self._has_lost_parser:
            self._parser = ParserProcess()

    async def _import_piece(self, read: Callable[[bytes], list[Frame]], data: bytes) -> None:
        """Parse a piece while the one before is being stored, then begin to store it."""
        frames, checkpoint = await self._tools.in_thread(self._read, read, data)
        revision, matcher = await self._tools.writer.matcher()
        piece = await self._parse(frames, matcher, revision)
        chunk = Chunk(piece.tweets, piece.rejections, piece.first_at, piece.last_at, checkpoint)
        self._note_authors(piece)
        await self._finish_storing()
        if chunk.tweets or chunk.rejections:
            unseen = self._unseen(piece.batch.authors)
            known = {author.id for author in piece.batch.authors} - {author.id for author in unseen}
            batch = structs.replace(
                piece.batch, authors=unseen, known_authors=list(known), dataset=self._options.dataset
            )
            self._storing = asyncio.create_task(self._store(chunk, batch))

    def _read(self, read: Callable[[bytes], list[Frame]], data: bytes) -> tuple[list[Frame], Checkpoint]:
        frames = read(data)
        return frames, self._file.checkpoint()

    async def _parse(self, frames: list[Frame], matcher: Matcher, revision: int) -> ParsedPiece:
        blocks = [frame for frame in frames if isinstance(frame, Block)]
        if self._parser and self._parser.is_ready and len(blocks) == len(frames):
            try:
                return await self._parser.parse_and_match(blocks, matcher, revision)
            except ParserLate:
                log.warning("piece_rejected", import_id=self._id, line=blocks[0].line, seconds=PIECE_SECONDS)
                frames = await self._tools.in_thread(rejected, blocks, TOO_SLOW)
            except ParserLost as error:
                log.warning("parser_lost", import_id=self._id, reason=str(error))
                PARSERS_LOST.inc()
                await self._parser.close()
                self._parser, self._has_lost_parser = None, True
        return await self._tools.in_thread(parse_and_match, frames, matcher, revision)

    def _note_authors(self, piece: ParsedPiece) -> None:
        for name, count in piece.authors.items():
            if len(self._authors) < MAX_AUTHORS or name in self._authors:
                self._authors[name] += count
        self._accounts |= piece.batch.accounts

    def _unseen(self, authors: Sequence[Author]) -> list[Author]:
        """Return the authors that this import has not stored yet, or about whom it knows something new."""
        unseen = [author for author in authors if self._seen_authors.get(author.id) != author]
        if len(self._seen_authors) > MAX_AUTHORS:
            self._seen_authors.clear()
        self._seen_authors.update((author.id, author) for author in unseen)
        return unseen

    async def _finish_storing(self) -> None:
        # A sender that goes away must not cancel a COPY half-way: asyncpg's connection would be lost with it.
        if self._storing is not None:
            await asyncio.shield(self._storing)
            self._storing = None

    async def _store(self, chunk: Chunk, batch: Batch) -> None:
        await self._begin(chunk.checkpoint.format)
        tally = self._tally

        async def progress(connection: Any, added: Added) -> None:
            nonlocal tally
            tally = self._tally.with_chunk(chunk, added)
            await self._tools.imports.progress(connection, self._attempt, tally, chunk.checkpoint, self._accounts)

        _, stored = await self._tools.writer.store(batch, self._id, within=progress)
        self._accounts |= stored.accounts
        for outcome in ("accepted", "duplicates", "rejected"):
            TWEETS.labels(outcome.removesuffix("s")).inc(getattr(tally, outcome) - getattr(self._tally, outcome))
        self._tally = tally

    async def _begin(self, file_format: Format) -> None:
        if not self._has_begun:
            if self._options.dataset:
                await self._tools.datasets.add(self._options.dataset)
            await self._tools.imports.begin(self._id, file_format, self._options, self._head_digest)
            self._has_begun = True

    async def _record_failure(self, error: BaseException) -> None:
        with suppress(BaseException):
            await self._finish_storing()
        if self._has_begun:
            reason = str(error) if isinstance(error, ServiceError) else "the import was interrupted"
            with suppress(ServiceError):
                await self._tools.imports.end(self._attempt, 0, self._notes(), reason)

    async def _track_authors(self) -> int:
        """Make the busiest authors entities, if that is wanted; return how many were left out."""
        # Authors become entities only where no tweet is by or to a tracked account. An alias is not enough: a first
        # name that happens to be somebody's alias does not make a file one about them.
        entities, dataset, imports = self._tools.entities, self._options.dataset, self._tools.imports
        if not self._options.track_authors or await entities.any_in(self._accounts, dataset):
            return 0
        candidates = author_entities(self._authors, dataset)
        chosen = candidates[: self._tools.limits.max_author_entities]
        created, too_many = await entities.create_missing(chosen)
        if created:
            await imports.tracking(self._attempt, created)
            # To match a million tweets takes longer than an import that writes nothing counts as alive.
            await self._tools.rematcher.finish(created, partial(imports.tracking, self._attempt))
        return len(candidates) - len(chosen) + too_many

"""Imports: a file arrives in pieces and is parsed, de-duplicated, matched and stored, in constant memory.

While a piece is being stored, the next one is parsed in a thread. A piece and the record of how far the file was
read are stored in one transaction, so an import that breaks off goes on from there when the same file comes again.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from msgspec import structs

from castor_chassis import Overloaded, ServiceError
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityStore
from twitter_service.errors import EmptyImport, ImportDiffers
from twitter_service.imports.parser import Block, Frame, Prepared, prepared
from twitter_service.imports.parser_process import ParserLost, ParserProcess, has_processor_to_spare
from twitter_service.imports.readers.gzip_stream import cut, unpacked
from twitter_service.imports.readers.tweet_file import Checkpoint, Format, TweetFile
from twitter_service.imports.repository import Chunk, Ending, ImportStore, Origin, Tally
from twitter_service.matching.entities import Matcher, slug
from twitter_service.metrics import PARSERS_LOST, TWEETS
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import Author
from twitter_service.tweets.repository import TweetStore
from twitter_service.tweets.upsert_repository import Added

HEAD_BYTES = 64 * 1024
"""By so many first bytes a file is recognised; shorter ones are not resumed."""
MAX_AUTHORS = 50_000
"""Authors that one import tells apart, so that its memory stays bounded."""

log = structlog.get_logger("twitter.import")
T = TypeVar("T")


class InThread(Protocol):
    """Runs CPU work off the event loop."""

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        """Return what ``function(*args)`` returns."""


@dataclass(frozen=True)
class ImportRules:
    """Limits of imports; see the settings of the same names."""

    piece_bytes: int
    max_unpacked_bytes: int
    max_concurrent: int
    max_author_entities: int
    parses_apart: bool = True


@dataclass(frozen=True)
class ImportOrder:
    """What the sender says about the file."""

    format: Format | None
    filename: str | None
    track_authors: bool
    origin: Origin
    resume: bool = True
    size: int | None = None


class Importer:
    """Takes in files; ``on_news`` is called whenever tweets were stored."""

    def __init__(
        self,
        tweets: TweetStore,
        entities: EntityStore,
        imports: ImportStore,
        *,
        rules: ImportRules,
        in_thread: InThread,
        rematcher: Rematcher,
        on_news: Callable[[], None],
    ) -> None:
        self.tweets = tweets
        self.entities = entities
        self.imports = imports
        self.rules = rules
        self.in_thread = in_thread
        self.rematcher = rematcher
        self.on_news = on_news
        self._running = 0

    @property
    def is_running(self) -> bool:
        """True while this process takes in a file."""
        return self._running > 0

    async def run(self, pieces: AsyncIterator[bytes], order: ImportOrder) -> str:
        """Import a file and return the import's id.

        Raises ``EmptyImport``, ``NotUtf8``, ``MissingColumns``, ``BrokenGzip``, ``UnpackedTooLarge``,
        ``ImportDiffers``, ``Overloaded`` or ``DatabaseUnavailable``. What was stored before a failure stays; the same
        file sent again goes on from there, under the same id.
        """
        if self._running >= self.rules.max_concurrent:
            raise Overloaded(limit=self.rules.max_concurrent, retry_after_seconds=5)
        self._running += 1
        try:
            return await _Run(self, order).take_all(pieces)
        finally:
            self._running -= 1


class _Run:
    """One import under way."""

    def __init__(self, importer: Importer, order: ImportOrder) -> None:
        self._in = importer
        self._order = order
        self._id = uuid.uuid4().hex
        self._head_digest = ""
        self._file = TweetFile(order.format)
        self._tally = Tally()
        self._authors: Counter[str] = Counter()
        self._seen_authors: dict[str, Author] = {}
        self._has_begun = False
        self._matcher: tuple[int, Matcher] | None = None
        self._speaks_of_tracked = False
        self._storing: asyncio.Task[None] | None = None
        self._parser: ParserProcess | None = None
        self._has_lost_parser = False

    async def take_all(self, pieces: AsyncIterator[bytes]) -> str:
        try:
            await self._read(cut(unpacked(pieces, self._in.rules.max_unpacked_bytes), self._in.rules.piece_bytes))
            if self._tally.rows == 0:
                raise EmptyImport
            await self._in.imports.end(self._id, await self._track_authors())
        except BaseException as error:
            await self._fail(error)
            raise
        finally:
            if self._parser:
                await asyncio.shield(self._parser.close())
        log.info("imported", import_id=self._id, accepted=self._tally.accepted, rejected=self._tally.rejected)
        return self._id

    async def _read(self, pieces: AsyncIterator[bytes]) -> None:
        first = await anext(pieces, b"")
        self._head_digest = hashlib.sha256(first[:HEAD_BYTES]).hexdigest()
        rest = await self._resumed(first, pieces)
        async for data in pieces:
            self._parse_apart()
            await self._take(self._file.frames, rest)
            rest = data
        await self._take(self._file.last_frames, rest)
        await self._stored()

    async def _resumed(self, first: bytes, pieces: AsyncIterator[bytes]) -> bytes:
        """Pass over what an earlier attempt has stored, and return what is left of the last piece read."""
        if not self._order.resume or len(first) < HEAD_BYTES:
            return first
        earlier = await self._in.imports.claim(self._head_digest, self._order.size)
        if earlier is None:
            return first
        self._id, self._has_begun = earlier.id, True
        left, piece = earlier.checkpoint.offset, first
        while piece and left > len(piece):
            await self._in.in_thread(self._file.pass_over, piece)
            left -= len(piece)
            piece = await anext(pieces, b"")
        self._file.pass_over(piece[:left])
        if not self._file.resume(earlier.checkpoint):
            raise ImportDiffers(import_id=earlier.id, offset=earlier.checkpoint.offset)
        self._tally = earlier.tally
        self._authors = await self._in.imports.authors(self._id, MAX_AUTHORS)
        log.info("import_resumed", import_id=self._id, offset=earlier.checkpoint.offset)
        return piece[left:]

    def _parse_apart(self) -> None:
        """Have a long file of JSON parsed by a process of its own; until it is there, a thread parses."""
        wanted = self._in.rules.parses_apart and self._file.format == "jsonl" and has_processor_to_spare()
        if wanted and self._parser is None and not self._has_lost_parser:
            self._parser = ParserProcess()

    async def _take(self, read: Callable[[bytes], list[Frame]], data: bytes) -> None:
        """Parse a piece while the one before is being stored."""
        self._matcher = self._matcher or await self._in.entities.matcher()
        frames, checkpoint = await self._in.in_thread(self._framed, read, data)
        piece = await self._prepared(frames, *self._matcher)
        chunk = Chunk(piece.tweets, piece.rejections, piece.first_at, piece.last_at, checkpoint)
        self._note(piece)
        await self._stored()
        if chunk.tweets or chunk.rejections:
            batch = structs.replace(piece.batch, authors=self._news_of(piece.batch.authors))
            self._storing = asyncio.create_task(self._store(chunk, batch))

    def _framed(self, read: Callable[[bytes], list[Frame]], data: bytes) -> tuple[list[Frame], Checkpoint]:
        frames = read(data)
        return frames, self._file.checkpoint()

    async def _prepared(self, frames: list[Frame], revision: int, matcher: Matcher) -> Prepared:
        blocks = [frame for frame in frames if isinstance(frame, Block)]
        if self._parser and self._parser.is_ready and len(blocks) == len(frames):
            try:
                return await self._parser.prepared(blocks, matcher, revision)
            except ParserLost as error:
                log.warning("parser_lost", import_id=self._id, reason=str(error))
                PARSERS_LOST.inc()
                await self._parser.close()
                self._parser, self._has_lost_parser = None, True
        return await self._in.in_thread(prepared, frames, matcher, revision)

    def _note(self, piece: Prepared) -> None:
        for name, count in piece.writers.items():
            if len(self._authors) < MAX_AUTHORS or name in self._authors:
                self._authors[name] += count
        self._speaks_of_tracked = self._speaks_of_tracked or piece.batch.names_account

    async def _stored(self) -> None:
        # A sender that goes away must not cut a COPY in two: asyncpg's connection would be lost with it.
        if self._storing is not None:
            await asyncio.shield(self._storing)
            self._storing = None

    def _news_of(self, authors: Sequence[Author]) -> list[Author]:
        news = [author for author in authors if self._seen_authors.get(author.id) != author]
        if len(self._seen_authors) > MAX_AUTHORS:
            self._seen_authors.clear()
        self._seen_authors.update((author.id, author) for author in news)
        return news

    async def _store(self, chunk: Chunk, batch: Batch) -> None:
        await self._begin(chunk.checkpoint.format)
        tally = self._tally

        async def progress(connection: Any, added: Added) -> None:
            nonlocal tally
            tally = self._tally.with_chunk(chunk, added)
            await self._in.imports.progress(connection, self._id, tally, chunk.checkpoint)

        while await self._in.tweets.add(batch, self._id, within=progress) is None:
            revision, matcher = self._matcher = await self._in.entities.matcher()
            batch = await self._in.in_thread(batch.tagged_anew, matcher, revision)
            self._speaks_of_tracked = self._speaks_of_tracked or batch.names_account
        for outcome in ("accepted", "duplicates", "rejected"):
            TWEETS.labels(outcome.removesuffix("s")).inc(getattr(tally, outcome) - getattr(self._tally, outcome))
        self._tally = tally
        self._in.on_news()

    async def _begin(self, file_format: Format) -> None:
        if not self._has_begun:
            order = self._order
            await self._in.imports.begin(
                self._id, file_format, order.filename, order.origin, self._head_digest, order.size
            )
            self._has_begun = True

    async def _fail(self, error: BaseException) -> None:
        with suppress(BaseException):
            await self._stored()
        if self._has_begun:
            reason = str(error) if isinstance(error, ServiceError) else "the import was interrupted"
            with suppress(ServiceError):
                await self._in.imports.end(self._id, Ending(), reason)

    async def _track_authors(self) -> Ending:
        # Authors become entities only where no tweet is by or to a tracked account; a first name that
        # happens to be somebody's alias does not make a file one about them.
        if not self._order.track_authors or self._speaks_of_tracked:
            return Ending()
        candidates = author_entities(self._authors)
        created = await self._in.entities.create_missing(candidates[: self._in.rules.max_author_entities])
        if not created:
            return Ending()
        await self._in.rematcher.finish(created)
        return Ending(created, len(candidates) - len(created))


def author_entities(authors: Counter[str]) -> list[dict[str, Any]]:
    """Return authors as entities, the most active first; an author known only by number is none."""
    totals: Counter[str] = Counter()
    names: dict[str, str] = {}
    for name, count in authors.items():
        key = slug(name)
        if key and not name.startswith("id:"):
            totals[key] += count
            names.setdefault(key, name)
    by_activity = sorted(totals, key=lambda key: (-totals[key], key))
    return [
        {"id": key, "name": names[key], "kind": "candidate", "colour": None}
        | {"handles": [names[key]], "aliases": [], "hashtags": []}
        for key in by_activity
    ]

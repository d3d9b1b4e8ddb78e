"""Imports: a file arrives in pieces and is parsed, de-duplicated, matched and stored, in constant memory."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from castor_chassis import Overloaded, ServiceError
from twitter_service.entity_store import EntityStore
from twitter_service.errors import EmptyImport
from twitter_service.files import Format, Found, TweetFile
from twitter_service.import_store import ImportStore, Origin, Tally
from twitter_service.matching import Matcher, slug
from twitter_service.metrics import TWEETS
from twitter_service.rematching import Rematcher
from twitter_service.store import Batch, TweetStore
from twitter_service.tweets import NewTweet, Rejection

PIECE_BYTES = 256 * 1024
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

    batch_rows: int
    max_concurrent: int
    max_author_entities: int


@dataclass(frozen=True)
class ImportOrder:
    """What the sender says about the file."""

    format: Format | None
    filename: str | None
    track_authors: bool
    origin: Origin


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

    async def run(self, pieces: AsyncIterator[bytes], order: ImportOrder) -> str:
        """Import a file and return the import's id.

        Raises ``EmptyImport``, ``NotUtf8``, ``MissingColumns``, ``Overloaded`` or ``DatabaseUnavailable``.
        What was stored before a failure stays; sending the file again counts it as duplicates.
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
        self._file = TweetFile(order.format)
        self._tally = Tally()
        self._waiting: list[NewTweet] = []
        self._authors: Counter[str] = Counter()
        self._has_begun = False
        self._matcher: tuple[int, Matcher] | None = None
        self._speaks_of_tracked = False

    async def take_all(self, pieces: AsyncIterator[bytes]) -> str:
        try:
            async for data in _gathered(pieces):
                await self._take(await self._in.in_thread(self._file.feed, data))
            await self._take(await self._in.in_thread(self._file.finish))
            await self._store_waiting(least=1)
            if self._tally.rows == 0:
                raise EmptyImport
            await self._begin()
            await self._track_authors()
            await self._in.imports.end(self._id, self._tally)
        except BaseException as error:
            await self._fail(error)
            raise
        log.info("imported", import_id=self._id, accepted=self._tally.accepted, rejected=self._tally.rejected)
        return self._id

    async def _take(self, found: Found) -> None:
        for item in found:
            if isinstance(item, Rejection):
                self._tally.reject(item)
                TWEETS.labels("rejected").inc()
                continue
            self._waiting.append(item)
            self._tally.see(item)
            if len(self._authors) < MAX_AUTHORS or item.username in self._authors:
                self._authors[item.username] += 1
        await self._store_waiting(least=self._in.rules.batch_rows)

    async def _store_waiting(self, least: int) -> None:
        while len(self._waiting) >= least:
            size = self._in.rules.batch_rows
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            await self._begin()
            await self._store(batch)
            await self._in.imports.progress(self._id, self._tally)

    async def _store(self, tweets: Sequence[NewTweet]) -> None:
        unique = list({tweet.id: tweet for tweet in reversed(tweets)}.values())[::-1]
        stored = None
        while stored is None:
            revision, matcher = self._matcher or await self._in.entities.matcher()
            links, names_tracked = await self._in.in_thread(_links, matcher, unique)
            self._speaks_of_tracked = self._speaks_of_tracked or names_tracked
            stored = await self._in.tweets.add(Batch(unique, links, revision), self._id)
            self._matcher = None if stored is None else (revision, matcher)
        self._tally.accepted += stored
        self._tally.duplicates += len(tweets) - stored
        TWEETS.labels("accepted").inc(stored)
        TWEETS.labels("duplicate").inc(len(tweets) - stored)
        self._in.on_news()

    async def _begin(self) -> None:
        if not self._has_begun:
            file_format = self._file.format or "csv"
            await self._in.imports.begin(self._id, file_format, self._order.filename, self._order.origin)
            self._has_begun = True

    async def _fail(self, error: BaseException) -> None:
        if self._has_begun:
            reason = str(error) if isinstance(error, ServiceError) else "the import was interrupted"
            with suppress(ServiceError):
                await self._in.imports.end(self._id, self._tally, reason)

    async def _track_authors(self) -> None:
        # Authors become entities only where no tweet is by or to a tracked account; a first name that
        # happens to be somebody's alias does not make a file one about them.
        if not self._order.track_authors or self._speaks_of_tracked:
            return
        candidates = author_entities(self._authors)
        created = await self._in.entities.create_missing(candidates[: self._in.rules.max_author_entities])
        if created:
            self._tally.entities_created = created
            self._tally.authors_left_out = len(candidates) - len(created)
            await self._in.rematcher.finish(created)


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


def _links(matcher: Matcher, tweets: Sequence[NewTweet]) -> tuple[list[tuple[int, str]], bool]:
    """Return (tweet id, entity) of every match, and whether any tweet is by or to a tracked account."""
    links = [(tweet.id, entity) for tweet in tweets for entity in matcher.entities_of(tweet.username, tweet.text)]
    return links, bool(links) and any(matcher.names_account(tweet.username, tweet.text) for tweet in tweets)


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut the stream into pieces of one size: small ones cost a thread hop each, large ones hold up memory."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)

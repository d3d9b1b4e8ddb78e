"""Parses and matches a piece of a file: CPU-bound, in a thread or in a process of its own (``parser_process``).

The process loads neither the service nor its storage, so this module imports none of them.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from twitter_service.imports.json_lines import tweets_of_line
from twitter_service.imports.readers.base import Block, Frame
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet, Rejection


class Job(msgspec.Struct):
    """Lines to parse and to match; ``terms`` are left out while the process knows those of ``revision``."""

    blocks: list[Block]
    revision: int
    terms: tuple[Terms, ...] | None


class ParsedPiece(msgspec.Struct):
    """A piece of a file, ready to be stored."""

    batch: Batch
    tweets: int
    rejections: list[Rejection]
    authors: dict[str, int]
    """Tweets of each author, by handle."""
    first_at: datetime | None
    last_at: datetime | None


def parse(frames: Iterable[Frame]) -> list[NewTweet | Rejection]:
    """Return the tweets and rejections of a piece of a file."""
    found: list[NewTweet | Rejection] = []
    for frame in frames:
        if isinstance(frame, Block):
            found.extend(_in_block(frame))
        else:
            found.append(frame)
    return found


def rejected(blocks: Iterable[Block], reason: str) -> list[Frame]:
    """Return a rejection of each line that is not blank, without parsing it."""
    return [Rejection(number, reason) for block in blocks for number, _ in _lines(block)]


def parse_and_match(frames: Sequence[Frame], matcher: Matcher, revision: int) -> ParsedPiece:
    """Parse a piece of a file and match its tweets against the entities of ``revision``."""
    found = parse(frames)
    tweets = [item for item in found if isinstance(item, NewTweet)]
    times = [tweet.created_at for tweet in tweets]
    return ParsedPiece(
        Batch.of(tweets, matcher, revision),
        len(tweets),
        [item for item in found if isinstance(item, Rejection)],
        Counter(tweet.username for tweet in tweets),
        min(times, default=None),
        max(times, default=None),
    )


def _in_block(block: Block) -> Iterator[NewTweet | Rejection]:
    for number, line in _lines(block):
        for found in tweets_of_line(line):
            yield Rejection(number, found) if isinstance(found, str) else found


def _lines(block: Block) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(block.data.splitlines(), block.line):
        if line := line.strip():
            yield number, line


def answering() -> Callable[[bytes], Iterable[bytes]]:
    """Return what answers jobs in the process, both MessagePack; it keeps nothing between jobs but the matcher."""
    decode, encode = msgspec.msgpack.Decoder(Job).decode, msgspec.msgpack.Encoder().encode
    matcher = Matcher(())
    # Nothing made here is part of a reference cycle, so the collector would find nothing.
    gc.freeze()
    gc.set_threshold(100_000)

    def answer(question: bytes) -> Iterable[bytes]:
        nonlocal matcher
        job = decode(question)
        if job.terms is not None:
            matcher = Matcher(job.terms)
        yield encode(parse_and_match(job.blocks, matcher, job.revision))

    return answer

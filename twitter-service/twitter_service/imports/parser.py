"""What an import works out of a piece of a file: CPU-bound, in a thread or in a process of its own.

The process (``python -m twitter_service.imports.parser``) reads jobs from its standard input and writes what it found
to its standard output, each a length of four bytes and MessagePack. It loads neither the service nor its store, keeps
nothing between jobs but the matcher, and ends when its input ends.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from twitter_service.matching.entities import Matcher, Terms
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet, Rejection
from twitter_service.tweets.x_payload import tweets_of_line

LENGTH_BYTES = 4


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Whole lines of a JSON Lines file in UTF-8, the first of which is physical line ``line``."""

    line: int
    data: bytes


Frame = NewTweet | Rejection | Block


class Job(msgspec.Struct):
    """Lines to parse and to match; ``terms`` are left out while the process knows those of ``revision``."""

    blocks: list[Block]
    revision: int
    terms: tuple[Terms, ...] | None


class Prepared(msgspec.Struct):
    """A piece of a file, ready to be stored."""

    batch: Batch
    tweets: int
    rejections: list[Rejection]
    writers: dict[str, int]
    """Tweets of each author, by handle."""
    first_at: datetime | None
    last_at: datetime | None


def parsed(frames: Iterable[Frame]) -> list[NewTweet | Rejection]:
    """Return what is in a piece of a file."""
    found: list[NewTweet | Rejection] = []
    for frame in frames:
        if isinstance(frame, Block):
            found.extend(_in_block(frame))
        else:
            found.append(frame)
    return found


def prepared(frames: Sequence[Frame], matcher: Matcher, revision: int) -> Prepared:
    """Parse a piece of a file and match what it holds."""
    found = parsed(frames)
    tweets = [item for item in found if isinstance(item, NewTweet)]
    times = [tweet.created_at for tweet in tweets]
    return Prepared(
        Batch.of(tweets, matcher, revision),
        len(tweets),
        [item for item in found if isinstance(item, Rejection)],
        Counter(tweet.username for tweet in tweets),
        min(times, default=None),
        max(times, default=None),
    )


def _in_block(block: Block) -> Iterator[NewTweet | Rejection]:
    for number, line in enumerate(block.data.splitlines(), block.line):
        if line := line.strip():
            for found in tweets_of_line(line):
                yield Rejection(number, found) if isinstance(found, str) else found


def main() -> None:
    """Work off jobs until there are no more; the first thing written says that it may begin."""
    decode, encode = msgspec.msgpack.Decoder(Job).decode, msgspec.msgpack.Encoder().encode
    source, target = sys.stdin.buffer, sys.stdout.buffer
    matcher = Matcher(())
    # What is made here is freed by counting references; looking for circles finds none.
    gc.freeze()
    gc.set_threshold(100_000)
    target.write(bytes(LENGTH_BYTES))
    target.flush()
    while length := source.read(LENGTH_BYTES):
        job = decode(source.read(int.from_bytes(length, "big")))
        if job.terms is not None:
            matcher = Matcher(job.terms)
        answer = encode(prepared(job.blocks, matcher, job.revision))
        target.write(len(answer).to_bytes(LENGTH_BYTES, "big"))
        target.write(answer)
        target.flush()


if __name__ == "__main__":
    main()

"""trending-service on its own PostgreSQL: tweets stored a second, seconds of an answer, bytes a term.

``python -m bench trending_speed [--tweets N]``: a stream with N tweets in the four weeks before the last days is stored
page by page as the feed brings it; the first 60 pages beside ZINCRBY of the same terms in a pipeline of 500 commands on
Valkey and, where it is installed (``uv pip install --target DIR heavykeeper``, ``PYTHONPATH=DIR``), a HeavyKeeper
sketch in memory, in turns; the rest in larger pages that two processes read, while hours are counted. Then topics of 3
and of 24 hours are asked for at different moments, as one replica answers without its cache: alone, and while pages are
stored and hours counted. Bytes are those of the whole database. Set ``OPENBLAS_NUM_THREADS=1``, as the images and
``castor up`` do: with a thread per core the small products of a question take longer, and processor time twice.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import multiprocessing
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from redis.asyncio import Redis

from bench.stores import postgres_server, url_in
from bench.trending.generator import DAY, FIRST_MOMENT, Made, Tweet, World, make
from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.valkey import EmbeddedValkey
from trending_service.clients.twitter import TweetChange
from trending_service.coordination.service import CoordinationService
from trending_service.ingest.feed_consumer import terms_by_tweet
from trending_service.settings import TrendingSettings
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.model import TweetTerms
from trending_service.signals.repository import SignalRepository
from trending_service.topics.finder import Finder
from trending_service.topics.model import Question
from trending_service.wiring.services import method_of

PAGE = 500
COMPARED_PAGES = 60
LOADED_AT_ONCE, READ_AHEAD = 5000, 4
ANSWERS = 20
FIRST_ID = 1_500_000_000_000_000_000
BASELINE_DAYS, DAYS = 28, 30
LAST_QUESTION = FIRST_MOMENT + DAYS * DAY - 2 * 3600
"""In the evening of the last day: retweets of it go on for hours after its end, when little else is written."""


def pages(made: Made) -> Iterator[list[TweetChange]]:
    """Yield the tweets as pages of the feed."""
    for first in range(0, len(made.tweets), PAGE):
        yield [_change(tweet, number) for number, tweet in enumerate(made.tweets[first : first + PAGE], first)]


def _change(tweet: Tweet, number: int) -> TweetChange:
    moment = datetime.fromtimestamp(tweet.at, UTC)
    return TweetChange(id=str(FIRST_ID + number), username=tweet.author, text=tweet.text, created_at=moment)


@dataclass
class Stored:
    """Seconds that each method took for the same ``terms`` of ``tweets``, in turns."""

    tweets: int = 0
    terms: int = 0
    reading: float = 0.0
    """Of ``storing``: finding the terms in the texts."""
    storing: float = 0.0
    redis: float = 0.0
    sketch: float = 0.0

    def __str__(self) -> str:
        sketch = f"; HeavyKeeper {self.terms / self.sketch:8.0f} terms/s" if self.sketch else ""
        return (
            f"stored    {self.tweets / self.storing:8.0f} tweets/s, {self.terms / self.storing:8.0f} terms/s "
            f"({self.reading / self.storing:.0%} of it reading texts); "
            f"ZINCRBY {self.terms / self.redis:8.0f} terms/s{sketch}"
        )


async def compare(feed: FeedRepository, redis: Redis, read: Iterable[Sequence[TweetChange]]) -> Stored:
    """Store pages here, as ZINCRBY there, and in a sketch."""
    found, sketch = Stored(), _sketch()
    for number, page in enumerate(read, start=1):
        began = time.perf_counter()
        tweets = terms_by_tweet(page)
        found.reading += time.perf_counter() - began
        await feed.apply(tweets, [], number * PAGE)
        found.storing += time.perf_counter() - began
        found.tweets += len(tweets)
        began = time.perf_counter()
        found.terms += await count_in_redis(redis, tweets)
        found.redis += time.perf_counter() - began
        if sketch is not None:
            keys = [key for tweet in tweets for key in tweet.terms]
            began = time.perf_counter()
            sketch.add_bulk(keys)
            found.sketch += time.perf_counter() - began
    return found


async def load(feed: FeedRepository, hours: HoursRepository, made: Made, first: int) -> str:
    """Store the tweets from the ``first`` on, read by two processes, while hours are counted; say what it took."""
    began, loop = time.perf_counter(), asyncio.get_running_loop()
    waiting: deque[tuple[asyncio.Future[list[TweetTerms]], int]] = deque()

    async def store_next() -> None:
        reading, end = waiting.popleft()
        await feed.apply(await reading, [], end)

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        async with counting(hours):
            for start in range(first, len(made.tweets), LOADED_AT_ONCE):
                end = start + LOADED_AT_ONCE
                waiting.append((loop.run_in_executor(pool, _read, made.tweets[start:end], start), end))
                if len(waiting) > READ_AHEAD:
                    await store_next()
            while waiting:
                await store_next()
    stored = time.perf_counter() - began
    while await hours.roll_up(limit=8, quiet_seconds=0):
        pass
    counted = time.perf_counter() - began - stored
    tweets = len(made.tweets) - first
    return f"the rest  {tweets} tweets in {stored:.0f} s while hours are counted, {counted:.0f} s more until all are"


def _read(tweets: Sequence[Tweet], first: int) -> list[TweetTerms]:
    return terms_by_tweet([_change(tweet, number) for number, tweet in enumerate(tweets, first)])


def _sketch() -> Any:
    try:
        return importlib.import_module("heavykeeper").HeavyKeeper(1000, 65_536, 4, 0.9)
    except ImportError as error:
        print(f"heavykeeper is left out: {error}", file=sys.stderr)
        return None


async def count_in_redis(redis: Redis, tweets: Sequence[TweetTerms]) -> int:
    """Count the terms of tweets in one sorted set an hour, as a sketch of trends would."""
    commands = [(f"h{tweet.created_at:%d%H}", key) for tweet in tweets for key in tweet.terms]
    for start in range(0, len(commands), PAGE):
        async with redis.pipeline(transaction=False) as pipe:
            for key, term in commands[start : start + PAGE]:
                pipe.zincrby(key, 1, term)
            await pipe.execute()
    return len(commands)


async def answers(finder: Finder, window_hours: int) -> str:
    """Return the median and the 99th percentile of the seconds of an answer, and the median of its processor time."""
    took, busy, tweets = [], [], []
    for number in range(ANSWERS):
        at = datetime.fromtimestamp(LAST_QUESTION - number * 1800, UTC)
        began, worked = time.perf_counter(), time.process_time()
        found = await finder.find(Question(at, window_hours, 10, 5))
        took.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        tweets.append(found.tweets_in_window)
    return (
        f"{window_hours:2} h p50 {np.median(took):.3f} s, p99 {np.percentile(took, 99):.3f} s, "
        f"{np.median(busy):.3f} s of them on the processor, of {min(tweets)} to {max(tweets)} tweets"
    )


@asynccontextmanager
async def ingest(feed: FeedRepository, hours: HoursRepository, made: Made) -> AsyncIterator[None]:
    """Store new tweets and count hours, as the service does, until the end of the block.

    They are later than all moments that are asked about, so that the answers are of the same tweets as without them.
    """

    async def tweets() -> None:
        for number in count():
            at = made.tweets[-1].at + 1 + number
            new = (replace(tweet, at=at, text=f"{tweet.text} página{number}") for tweet in made.tweets[-PAGE:])
            page = [_change(tweet, number * PAGE + place + 10**7) for place, tweet in enumerate(new)]
            await feed.apply(await asyncio.to_thread(terms_by_tweet, page), [], 10**9 + number)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(tweets())
    try:
        async with counting(hours):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def counting(hours: HoursRepository) -> AsyncIterator[None]:
    """Count hours again and again, as the service does, until the end of the block."""

    async def counted() -> None:
        while True:
            if not await hours.roll_up(quiet_seconds=1):
                await asyncio.sleep(1)

    task = asyncio.create_task(counted())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def memory(name: str) -> float:
    """Return the memory of this process now (VmRSS) or at most (VmHWM) in MiB, of Linux."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


async def measure(url: str, redis_url: str, made: Made) -> None:
    """Measure and print."""
    await migrate(url, "trending_service")
    database, redis = Postgres(url, timeout_seconds=60), Redis.from_url(redis_url)
    await database.open()
    feed, hours, signals = FeedRepository(database), HoursRepository(database), SignalRepository(database)
    finder = Finder(
        signals, hours, CoordinationService(signals, asyncio.to_thread), method_of(TrendingSettings()),
        asyncio.to_thread,
    )  # fmt: skip
    # As the service does when it has started: what is there already is not looked through again and again.
    gc.collect()
    gc.freeze()
    before = memory("VmRSS")
    print(await compare(feed, redis, islice(pages(made), COMPARED_PAGES)), flush=True)
    print(await load(feed, hours, made, COMPARED_PAGES * PAGE), flush=True)
    await database.execute("ANALYZE")
    for length in (3, 24):
        print("topics    alone:       ", await answers(finder, length), flush=True)
    async with ingest(feed, hours, made):
        for length in (3, 24):
            print("topics    under ingest:", await answers(finder, length), flush=True)
    size = await database.fetchval("SELECT pg_database_size(current_database())")
    distinct = await database.fetchval("SELECT count(DISTINCT term) FROM term_days")
    print(f"size      {size / distinct:.0f} bytes on disk for each of {distinct} terms")
    print(f"memory    {memory('VmHWM') - before:.0f} MiB at most, beside {before:.0f} MiB with the generated stream")
    await redis.aclose()
    await database.close()


def main() -> None:
    """Start the stores and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tweets", type=int, default=100_000, help="tweets in the baseline")
    a_day = parser.parse_args().tweets // BASELINE_DAYS
    world = World(
        seed=1, days=DAYS, quiet_days=BASELINE_DAYS, tweets_a_day=a_day, accounts=max(900, a_day // 2), words=20_000,
        bursts=20, floods_of_few=2, floods_of_groups=2, spikes=2,
    )  # fmt: skip
    made = make(world)
    port = PortLeases().choose({"valkey": 0})["valkey"]
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        valkey = EmbeddedValkey(Path(folder) / "valkey", port=port, password="bench", fast=True)
        valkey.start()
        try:
            asyncio.run(measure(url_in(server), valkey.url(), made))
        finally:
            valkey.stop()


if __name__ == "__main__":
    main()

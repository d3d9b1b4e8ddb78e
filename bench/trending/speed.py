"""trending-service on its own PostgreSQL: tweets stored a second, seconds of an answer, bytes a term.

``python -m bench trending_speed [--tweets N]``: the stream of a development world is stored page by page as the feed
brings it, beside ZINCRBY of the same terms in a pipeline of 500 commands on Valkey, in turns. Then topics of three
hours are asked for at different moments, as one replica answers without its cache, before and after the hours are
counted. Bytes are those of the whole database.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from redis.asyncio import Redis

from bench.trending.generator import DEVELOPMENT, Made, make
from bench.twitter.service import postgres
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
ANSWERS = 40


async def _here(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def pages(made: Made, most: int) -> list[list[TweetChange]]:
    """Return the tweets as pages of the feed, the last ``most`` of them."""
    changes = [
        TweetChange(
            id=str(1_500_000_000_000_000_000 + number), username=tweet.author, text=tweet.text,
            created_at=datetime.fromtimestamp(tweet.at, UTC),
        )
        for number, tweet in enumerate(made.tweets[-most:])
    ]  # fmt: skip
    return [changes[start : start + PAGE] for start in range(0, len(changes), PAGE)]


async def store(feed: FeedRepository, redis: Redis, read: Sequence[Sequence[TweetChange]]) -> tuple[float, float, int]:
    """Store all pages here and as ZINCRBY there; return the seconds of both, and the terms."""
    ours = theirs = 0.0
    terms = 0
    for number, page in enumerate(read, start=1):
        began = time.perf_counter()
        tweets = terms_by_tweet(page)
        await feed.apply(tweets, [], number * PAGE)
        ours += time.perf_counter() - began
        began = time.perf_counter()
        terms += await count_in_redis(redis, tweets)
        theirs += time.perf_counter() - began
    return ours, theirs, terms


async def count_in_redis(redis: Redis, tweets: Sequence[TweetTerms]) -> int:
    """Count the terms of tweets in one sorted set an hour, as a sketch of trends would."""
    commands = [(f"h{tweet.created_at:%d%H}", term.key) for tweet in tweets for term in tweet.terms]
    for start in range(0, len(commands), PAGE):
        async with redis.pipeline(transaction=False) as pipe:
            for key, term in commands[start : start + PAGE]:
                pipe.zincrby(key, 1, term)
            await pipe.execute()
    return len(commands)


async def answers(finder: Finder, made: Made) -> tuple[float, float]:
    """Return the median and the 99th percentile of the seconds of an answer."""
    took = []
    end = made.tweets[-1].at
    for number in range(ANSWERS):
        at = datetime.fromtimestamp(end - number * 3600, UTC)
        began = time.perf_counter()
        await finder.find(Question(at, 3, 10, 5))
        took.append(time.perf_counter() - began)
    return float(np.median(took)), float(np.percentile(took, 99))


async def measure(url: str, redis_url: str, made: Made, most: int) -> None:
    """Measure and print."""
    await migrate(url, "trending_service")
    database, redis = Postgres(url, timeout_seconds=60), Redis.from_url(redis_url)
    await database.open()
    hours, signals = HoursRepository(database), SignalRepository(database)
    finder = Finder(signals, hours, CoordinationService(signals, _here), method_of(TrendingSettings()), _here)
    read = pages(made, most)
    tweets = sum(map(len, read))
    ours, theirs, terms = await store(FeedRepository(database), redis, read)
    print(
        f"stored    {tweets / ours:8.0f} tweets/s, {terms / ours:8.0f} terms/s; ZINCRBY {terms / theirs:8.0f} terms/s"
    )
    await database.execute("ANALYZE")
    print("topics    none counted: p50 {:.3f} s, p99 {:.3f} s".format(*await answers(finder, made)))
    began = time.perf_counter()
    while await hours.roll_up(limit=200, quiet_seconds=0):
        pass
    counted = time.perf_counter() - began
    await database.execute("ANALYZE")
    print("topics    all counted:  p50 {:.3f} s, p99 {:.3f} s".format(*await answers(finder, made)))
    size = await database.fetchval("SELECT pg_database_size(current_database())")
    distinct = await database.fetchval("SELECT count(DISTINCT term) FROM term_hours")
    print(f"counted   {counted:.1f} s for all hours; {size / distinct:.0f} bytes on disk for each of {distinct} terms")
    await redis.aclose()
    await database.close()


def main() -> None:
    """Start the stores and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tweets", type=int, default=80_000)
    most = parser.parse_args().tweets
    made = make(DEVELOPMENT[0])
    port = PortLeases().choose({"valkey": 0})["valkey"]
    with postgres() as server, tempfile.TemporaryDirectory() as folder:
        valkey = EmbeddedValkey(Path(folder) / "valkey", port=port, password="bench", fast=True)
        valkey.start()
        try:
            asyncio.run(measure(server.url("bench", "bench", "bench"), valkey.url(), made, most))
        finally:
            valkey.stop()


if __name__ == "__main__":
    main()

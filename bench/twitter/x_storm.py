"""1,000 searches of X at once with 50 faults: ours, and tweepy's AsyncClient with its AsyncPaginator, on one trace.

Both meet a fresh fake X with the same posts, limits (those of docs.x.com, with windows of 5 s instead of 15 min)
and faults; PostgreSQL and Valkey are real. Every search wants all of its matches.

wasted 429: a request that X refused although its sender could have known: the window was used up, or an earlier
429 had named a reset that was not over. ``injected`` are the faults themselves; ``crossing`` arrived within
0.25 s of one, when its answer may not have been read yet. lost: posts that X had for a search and that this
search never got, summed over the searches.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from redis.asyncio import Redis
from tweepy.asynchronous import AsyncClient, AsyncPaginator

from bench.stores import stores
from castor_chassis import Postgres, Wakeup
from castor_chassis.observability.logging import configure_logging
from castor_chassis.storage.migrations import migrate
from castor_devstack.fake_x.corpus import Corpus, filled, invented
from castor_devstack.fake_x.faults import Fault, Kind
from castor_devstack.fake_x.limits import Limits as XWindows
from castor_devstack.fake_x.server import FakeX
from twitter_service.billing.budget import BudgetLimits, Payer, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository
from twitter_service.entities.repository import EntityRepository
from twitter_service.entities.tweet_writer import TweetWriter
from twitter_service.searches.ingest import PageIngest
from twitter_service.searches.model import SearchSpec
from twitter_service.searches.planner import Planner
from twitter_service.searches.repository import SearchRepository
from twitter_service.searches.service import SearchService, Submission
from twitter_service.searches.worker import JobRunner, SearchWorker
from twitter_service.tweets.repository import TweetRepository
from twitter_service.x.client import XClient, XPolicy
from twitter_service.x.query_builder import Search, queries
from twitter_service.x.rate_limits import XLimits

SEARCHES, POSTS, WINDOW_SECONDS = 1000, 6000, 5
FAULTS: Mapping[Kind, int] = {
    "429": 15, "503": 8, "500": 5, "cut": 8, "not_json": 2, "empty_page": 6, "duplicate": 4, "slow": 2,
}  # fmt: skip
_WORDS = ("seguridad", "salud", "educación", "empleo", "medio ambiente", "corrupción", "reforma tributaria", "paro")
_PLACES = ("Bogotá", "Medellín", "Cali", "Barranquilla", "Bucaramanga", "Pasto", "Quibdó", "Cúcuta")
_NAMES = ("Lucía Herrera", "Tomás Rincón", "Amparo Botero", "Julián Mosquera")


@dataclass(frozen=True)
class Result:
    """What one contestant got."""

    name: str
    seconds: float
    lost: int
    stored_twice: int
    failed: int
    fake: FakeX

    def line(self) -> str:
        """Return one row of the table."""
        refused = self.fake.limits.refused
        return (
            f"{self.name:<22} {refused['wasted']:>7} {refused['crossing']:>9} {refused['injected']:>9} "
            f"{self.lost:>7} {self.stored_twice:>7} {self.failed:>7} "
            f"{sum(self.fake.requests.values()):>9} {self.seconds:>7.1f}"
        )


def invented_searches(count: int) -> list[Search]:
    """Return the searches: a word, a place or a name, most of them together with another."""
    chance = random.Random(7)
    groups = (_WORDS, _PLACES, _NAMES)
    made = []
    for _ in range(count):
        first, second = chance.sample(groups, 2)
        made.append(Search(all_of=[chance.choice(first), chance.choice(second)], lang="es"))
    return made


def faults() -> list[Fault]:
    """Return the faults, mixed in one order."""
    made = [Fault(kind, "search_recent", seconds=2.0) for kind, count in FAULTS.items() for _ in range(count)]
    random.Random(3).shuffle(made)
    return made


@asynccontextmanager
async def fake_x(corpus: Corpus) -> AsyncIterator[FakeX]:
    """Run a fresh fake X that fails on every 20th search until its faults are used up."""
    fake = FakeX(corpus, limits=XWindows(window_seconds=WINDOW_SECONDS), latency_seconds=0.01)
    fake.faults.plan(faults(), every=20)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


async def ours(fake: FakeX, urls: tuple[str, str], searches: list[Search], until: datetime) -> tuple[Result, str]:
    """Preview and run all searches through the service's own parts."""
    await migrate(urls[0], "twitter_service")
    postgres, redis = Postgres(urls[0], size=12, timeout_seconds=60), Redis.from_url(urls[1])
    await postgres.open()
    limits = XLimits(redis, account="bench", max_in_flight=16, slot_seconds=30, margin_seconds=0.25)
    x = XClient("key", limits, XPolicy(fake.url, 15, 64, 5, 100, 1))
    budget = BudgetLimits((None, None), (None, None), {"analysis": 1.0}, 1.0)
    ledger = Ledger(LedgerRepository(postgres, lease_seconds=60), budget, Prices(0.005, 0.01))
    repository, entities = SearchRepository(postgres), EntityRepository(postgres, max_entities=10)
    threads = ThreadPoolExecutor(2)

    async def in_thread(function: Any, /, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, function, *args)

    ingest = PageIngest(TweetWriter(TweetRepository(postgres), entities, in_thread, lambda: None))
    queued = Wakeup()
    runner = JobRunner(x, repository, ledger, ingest, max_attempts=20)
    worker = SearchWorker(repository, runner, queued, concurrency=SEARCHES, lease_seconds=60)
    planner = Planner(entities, ledger, archive_enabled=False)
    service = SearchService(x, planner, ledger, repository, ingest, queued)
    payer = Payer("user:bench", "analysis")
    specs = [SearchSpec(search, None, False, None, None, until, 5000) for search in searches]
    began = time.monotonic()
    plans = [await planner.plan(spec) for spec in specs]
    previews = await asyncio.gather(*(planner.preview(x, plan, payer, 600) for plan in plans))
    previewed = time.monotonic()
    running = asyncio.ensure_future(worker.run())
    line = asyncio.Semaphore(50)

    async def submit(number: int, spec: SearchSpec) -> None:
        async with line:
            await service.search(spec, Submission(payer, {"n": number}, f"k{number}"))

    await asyncio.gather(*(submit(number, spec) for number, spec in enumerate(specs)))
    while True:
        await asyncio.sleep(0.2)
        if not await repository.count_unfinished():
            break
    seconds = time.monotonic() - began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    stored = {row["id"] for row in await postgres.fetch("SELECT id FROM tweets")}
    rows = await postgres.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 'failed') AS failed, sum(posts_read) AS read, sum(stored) AS stored "
        "FROM x_searches"
    )
    assert rows is not None
    lost = 0
    for row in await postgres.fetch("SELECT queries, posts_read FROM x_searches"):
        meant = {key for query in row["queries"] for key in fake.corpus.find(query)}
        # Short of posts, or short of them in the store: whichever shows more.
        lost += max(len(meant) - row["posts_read"], len(meant - stored))
    spent = (await ledger.statuses(payer))[0]
    price = sum(preview.price.micro_usd for preview in previews) / 1e6
    read = float(ledger.prices.of(int(rows["read"])).micro_usd) / 1e6
    money = (
        f"previews: {sum(p.found for p in previews):,} posts, ${price:,.2f}; "
        f"read: {rows['read']:,} posts, ${read:,.2f} ({100 * (read / price - 1):+.2f} % of the previews)\n"
        f"billed once a UTC day: ledger {spent.spent.posts:,}, fake X {fake.billed:,}; still reserved: "
        f"{spent.reserved.posts}; the previews took {previewed - began:.1f} s of the time"
    )
    await x.close()
    await redis.aclose()
    await postgres.close()
    return Result("castor", seconds, lost, int(rows["stored"]) - len(stored), rows["failed"], fake), money


class _Loopback:
    """An aiohttp session that sends what goes to api.twitter.com to the fake X, so that tweepy runs unchanged."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    def request(self, method: str, url: str, **more: Any) -> Any:
        """See aiohttp."""
        return self._session.request(method, url.replace("https://api.twitter.com", self._url), **more)


async def theirs(fake: FakeX, searches: list[Search], until: datetime) -> Result:
    """Run all searches as coroutines over one AsyncClient that waits on rate limits."""
    # Its every wait is a warning.
    logging.getLogger("tweepy").setLevel(logging.ERROR)
    client = AsyncClient("key", wait_on_rate_limit=True)
    failed = lost = 0

    async def run(query: str) -> None:
        nonlocal failed, lost
        arrived: set[int] = set()
        try:
            pages = AsyncPaginator(client.search_recent_tweets, query, max_results=100, end_time=until)
            async for page in pages:
                arrived.update(tweet.id for tweet in page.data or [])
        except Exception:
            failed += 1
        lost += len(set(fake.corpus.find(query)) - arrived)

    began = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        client.session = _Loopback(session, fake.url)
        await asyncio.gather(*(run(query) for search in searches for query in queries(search)))
    return Result("tweepy AsyncClient", time.monotonic() - began, lost, 0, failed, fake)


async def compare(urls: tuple[str, str]) -> None:
    """Run both and print the table."""
    corpus = filled(invented(POSTS))
    searches = invented_searches(SEARCHES)
    until = (datetime.now(UTC) - timedelta(seconds=20)).replace(microsecond=0)
    for search in searches:
        # Known beforehand, so that neither waits for the fake X to find it out.
        truth = [corpus.find(query) for query in queries(search)]
        assert truth
    async with fake_x(corpus) as fake:
        own, money = await ours(fake, urls, searches, until)
    async with fake_x(corpus) as fake:
        other = await theirs(fake, searches, until)
    print(f"{SEARCHES} searches at once, {POSTS:,} posts, {sum(FAULTS.values())} faults: {dict(FAULTS)}")
    print(f"{'':<22} {'wasted':>7} {'crossing':>9} {'injected':>9} {'':>7} {'stored':>7} {'failed':>7}")
    print(f"{'':<22} {'429':>7} {'429':>9} {'429':>9} {'lost':>7} {'twice':>7} {'search':>7} {'requests':>9} {'s':>7}")
    print(own.line())
    print(other.line())
    print(money)
    print("seconds are no contest: ours previews every search first, and waits for windows; load average "
          f"{os.getloadavg()[0]:.1f}")  # fmt: skip


def main() -> None:
    """Start PostgreSQL and Valkey, compare, and stop them."""
    configure_logging("bench", "ERROR")
    with stores() as urls:
        asyncio.run(compare(urls))

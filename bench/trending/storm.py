"""Watches in a storm: what arrives at a receiver that fails half the time, while one of two replicas is killed.

``python -m bench trending_storm [--watches N] [--events N]``: the events are spread over the watches and sent by two
processes on one PostgreSQL. Of the receiver's failures half come before it takes a message (503) and half after (the
answer is lost), so that some messages arrive more than once under one id. The first process is killed with SIGKILL
after a third of the events; what it had taken is sent by the other when its claims run out, after a minute. Printed:
events, events that are missing, ids with two contents, watches out of order, messages for an event, events a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from bench.stores import postgres_server, url_in
from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import until
from castor_devstack.stack.ports import PortLeases
from trending_service.watches.delivery import CLAIM_SECONDS, Deliverer
from trending_service.watches.model import Happening, NewWatch, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.targets import session

KEY = b"a key of the measurements, with bytes enough"
MOST_SECONDS = 500
AT_ONCE = 50
"""Events that are stored at once, each of another watch."""


@dataclass
class Receiver:
    """A webhook that fails half the time; ``taken`` maps the id of each message to its contents, first first."""

    chance: random.Random = field(default_factory=lambda: random.Random(4))
    requests: int = 0
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def handle(self, request: web.Request) -> web.Response:
        """Take a message, or not, or take it and lose the answer."""
        self.requests += 1
        body, luck = await request.text(), self.chance.random()
        if luck < 0.25:
            return web.Response(status=503)
        self.taken[request.headers["webhook-id"]].append(body)
        if luck < 0.5 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)

    def wrong(self, events: int, watches: list[Watch]) -> str:
        """Return what is missing, ambiguous or out of order, in words."""
        order: dict[str, list[int]] = defaultdict(list)
        for bodies in self.taken.values():
            message = json.loads(bodies[0])
            order[message["watch"]].append(message["data"]["number"])
        late = sum(order[watch.id] != sorted(order[watch.id]) for watch in watches)
        ambiguous = sum(len(set(bodies)) > 1 for bodies in self.taken.values())
        again = sum(len(bodies) > 1 for bodies in self.taken.values())
        return (
            f"{events - len(self.taken)} missing, {ambiguous} ids with two contents, {late} watches out of order; "
            f"{again} arrived more than once, under one id each"
        )


@asynccontextmanager
async def listening(receiver: Receiver, port: int) -> AsyncIterator[str]:
    """Serve the receiver until the end of the block and yield its URL."""
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1000).start()
    yield f"http://127.0.0.1:{port}/hook"
    await runner.cleanup()


def replica(url: str) -> None:
    """Send events until killed."""
    asyncio.run(_send(url))


async def _send(url: str) -> None:
    async def ready() -> None:
        return None

    database = Postgres(url, timeout_seconds=60)
    await database.open()
    await Deliverer(
        WatchRepository(database), lambda: session(allow_private=True, timeout_seconds=10), KEY, True, ready,
        most_attempts=10_000, pause=lambda _attempts: 0.5,
    ).run()  # fmt: skip


async def storm(watches: WatchRepository, url: str, count: int, events: int) -> list[Watch]:
    """Make watches and tell them events, round after round."""
    made = []
    for number in range(count):
        new = NewWatch(f"storm {number}", "trend_starts", None, None, None, 0, url, None, None, None)
        watch = await watches.add(f"w_{number:024x}", "user:ana", new, most=count)
        assert watch is not None
        made.append(watch)
    now = datetime.now(UTC)
    step = min(AT_ONCE, count)
    for first in range(0, events, step):
        await asyncio.gather(
            *(
                watches.tell(
                    made[number % count], Happening(f"start:{number}", "trend.started", {"number": number}), now
                )
                for number in range(first, min(first + step, events))
            )
        )
    return made


async def _deliver(url: str, database: Postgres, receiver: Receiver, before_the_kill: int) -> None:
    async def enough() -> bool:
        return len(receiver.taken) >= before_the_kill

    async def all_sent() -> bool:
        return not await database.fetchval("SELECT EXISTS (SELECT 1 FROM watch_events WHERE status = 'pending')")

    spawn = multiprocessing.get_context("spawn")
    replicas = [spawn.Process(target=replica, args=(url,), daemon=True) for _ in range(2)]
    try:
        for process in replicas:
            process.start()
        await until(enough, MOST_SECONDS)
        replicas[0].kill()
        await until(all_sent, MOST_SECONDS)
    finally:
        for process in replicas:
            process.kill()


async def measure(url: str, count: int, events: int) -> None:
    """Measure and print."""
    await migrate(url, "trending_service")
    database, receiver = Postgres(url, timeout_seconds=60), Receiver()
    await database.open()
    async with listening(receiver, PortLeases().choose({"receiver": 0})["receiver"]) as target:
        made = await storm(WatchRepository(database), target, count, events)
        began = time.perf_counter()
        await _deliver(url, database, receiver, events // 3)
        took = time.perf_counter() - began
    print(f"{events} events of {count} watches: {receiver.wrong(events, made)}")
    print(
        f"{receiver.requests / events:.2f} messages an event; {events / took:.0f} events/s in {took:.0f} s, with the "
        f"{CLAIM_SECONDS:.0f} s until the claims of the killed process run out"
    )
    await database.close()


def main() -> None:
    """Start PostgreSQL and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--watches", type=int, default=1000)
    parser.add_argument("--events", type=int, default=10_000)
    wanted = parser.parse_args()
    with postgres_server() as server:
        asyncio.run(measure(url_in(server), wanted.watches, wanted.events))


if __name__ == "__main__":
    main()

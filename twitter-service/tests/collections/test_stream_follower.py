"""What the follower of the stream does with a collection that cannot be followed: it says why, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from tweepy import StreamRule

from castor_chassis import Postgres, Wakeup
from castor_chassis.testing import until
from twitter_service.billing.budget import BudgetLimits, Payer, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository
from twitter_service.collections import stream_follower
from twitter_service.collections.model import Collection, Mode, NewCollection
from twitter_service.collections.repository import CollectionRepository
from twitter_service.collections.scheduler import CollectionScheduler
from twitter_service.collections.stream_follower import StreamFollower
from twitter_service.entities.model import NewEntity
from twitter_service.entities.repository import EntityRepository
from twitter_service.searches.model import SavedQuery
from twitter_service.searches.repository import SearchRepository
from twitter_service.tweets.model import snowflake_of
from twitter_service.x.errors import XRejected
from twitter_service.x.span import Json
from twitter_service.x.stream import XStream

from ..x_kit import empty_x

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAYER = Payer("ana", "trending", "default")


class Rules:
    """Stands where the client of X does: it keeps rules, and refuses a request in which one holds ``refused``."""

    refused = "prohibido"

    def __init__(self) -> None:
        self.kept: dict[str, StreamRule] = {}

    async def rules(self) -> list[Json]:
        return [{"id": key, "tag": rule.tag, "value": rule.value} for key, rule in self.kept.items()]

    async def add_rules(self, rules: Sequence[StreamRule]) -> None:
        if any(self.refused in rule.value for rule in rules):
            raise XRejected(status=400, reason="the rule is not allowed")
        self.kept.update((rule.tag, rule) for rule in rules)

    async def delete_rules(self, ids: Sequence[str]) -> None:
        for key in ids:
            del self.kept[key]


class QuietStream(XStream):
    """A stream that is open and brings nothing."""

    async def items(self, tick_seconds: float) -> AsyncGenerator[list[Json], None]:  # noqa: ARG002
        while True:
            yield []
            await asyncio.sleep(0.02)


class Parts:
    """The parts of the service that keep collections up, on a real store."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.x = Rules()
        self.collections = CollectionRepository(postgres)
        self.searches = SearchRepository(postgres)
        self.entities = EntityRepository(postgres, max_entities=10)
        limits = BudgetLimits((10_000, None), (None, None), {PAYER.purpose: 1.0}, 1.0)
        self.ledger = Ledger(LedgerRepository(postgres, lease_seconds=60), limits, Prices(0.005, 0.01))
        self.scheduler = CollectionScheduler(
            self.collections, self.searches, self.entities, self.ledger, wakeup=Wakeup(), queued=Wakeup()
        )

    async def add(self, name: str, mode: Mode = "stream", **query: Any) -> Collection:
        """Keep a collection for its own name."""
        asked: SavedQuery = {"any_of": [name], **query}  # type: ignore[typeddict-item]
        return await self.collections.add(NewCollection(name, name, mode, asked, "trending", 10, 100), PAYER)

    async def get(self, name: str) -> Collection:
        return await self.collections.get(PAYER.org, name)

    async def until_streaming(self, *names: str) -> None:
        """Wait until the stream carries these collections and no others."""

        async def is_so() -> bool:
            return [one.id for one in await self.collections.find(PAYER.org, "", 10) if one.streaming] == list(names)

        await until(is_so)

    async def gaps(self) -> list[str]:
        """Return for which collections gaps are queued."""
        rows = await self.postgres.fetch("SELECT collection_id FROM x_searches ORDER BY 1")
        return [row[0] for row in rows]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the stream."""
        x: Any = self.x
        ingest: Any = None
        follower = StreamFollower(
            QuietStream(x, "key", "http://x"), self.collections, self.scheduler, self.ledger, ingest, settle_seconds=60
        )
        running = asyncio.ensure_future(follower.run())
        try:
            yield
            assert not running.done(), running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="module")
async def parts(database: asyncpg.Connection, migrated: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    """The parts on an empty store; changes of collections are noticed at once."""
    monkeypatch.setattr(stream_follower, "RULES_SECONDS", 0.05)
    await empty_x(database)
    postgres = Postgres(migrated)
    await postgres.open()
    yield Parts(postgres)
    await postgres.close()


async def test_a_rule_that_x_refuses_stops_no_other(parts: Parts) -> None:
    """Its collection says what X said, holds no budget, and leaves no other rule of its own at X."""
    for name in ("arepa", "cafe", "maiz"):
        await parts.add(name)
    # Of two rules X refuses one.
    await parts.add("bollo", any_of=["b" * 480, "c" * 480, Rules.refused * 10])
    async with parts.following():
        await parts.until_streaming("arepa", "cafe", "maiz")
        refused = await parts.get("bollo")
        assert refused.error_code == "x_rejected"
        assert "the rule is not allowed" in str(refused.error)
        assert sorted(parts.x.kept) == [f"castor:{name}:0" for name in ("arepa", "cafe", "maiz")]
        assert await parts.gaps() == ["arepa", "cafe", "maiz"]
        held = await parts.postgres.fetch("SELECT id FROM x_reservations WHERE id = 'stream:bollo'")
        assert held == []


async def test_names_that_outgrow_a_query_stop_no_other_collection(parts: Parts) -> None:
    """A rule would hold them, but no search, so the gaps could not be filled: the collection says so and waits."""
    await parts.entities.create(NewEntity("petro", "Petro", "candidate", [], ["petro"], [], None, []))
    await parts.add("arepa")
    await parts.add("bollo", all_of=["b" * 200, "c" * 200], entity="petro")
    async with parts.following():
        await parts.until_streaming("arepa", "bollo")
        await parts.entities.change("petro", {"aliases": ["p" * 100]})
        await parts.until_streaming("arepa")
        assert (await parts.get("bollo")).error_code == "search_too_long"
        assert await parts.gaps() == ["arepa", "bollo"]
        await parts.entities.change("petro", {"aliases": ["gustavo"]})
        await parts.until_streaming("arepa", "bollo")
        assert (await parts.get("bollo")).error_code is None


async def test_a_collection_that_rests_is_not_streamed(parts: Parts) -> None:
    """Paused while the stream is open, and after a replica was killed, it does not say that it is carried."""
    await parts.add("arepa")
    await parts.add("bollo")
    async with parts.following():
        await parts.until_streaming("arepa", "bollo")
        await parts.collections.enable(PAYER.org, "bollo", enabled=False)
        await parts.until_streaming("arepa")
    await parts.until_streaming()
    await parts.postgres.execute("UPDATE x_collections SET streaming = true")
    async with parts.following():
        await parts.until_streaming("arepa")


async def test_what_x_no_longer_finds_stays_recorded(parts: Parts) -> None:
    """A collection whose checkpoint is beyond recent search names the span that it may have missed, for good."""
    await parts.add("arepa", "stream")
    await parts.add("bollo", "search")
    since = datetime.now(UTC) - timedelta(days=9)
    await parts.postgres.execute(
        "UPDATE x_collections SET created_at = $1, since_id = $2", since - timedelta(days=1), snowflake_of(since)
    )
    running = asyncio.ensure_future(parts.scheduler.run())
    async with parts.following():
        await parts.until_streaming("arepa")

        async def both() -> bool:
            return await parts.gaps() == ["arepa", "bollo"]

        await until(both)
    running.cancel()
    await parts.postgres.execute("UPDATE x_searches SET not_before = now()")
    for job in await parts.searches.claim("here", 2, 60):
        await parts.searches.end(job, complete=True)
    for name in ("arepa", "bollo"):
        found = await parts.get(name)
        assert found.missed_since is not None
        assert found.missed_until is not None
        assert abs(found.missed_since - since) < timedelta(seconds=1)
        assert timedelta(days=6) < datetime.now(UTC) - found.missed_until < timedelta(days=7)

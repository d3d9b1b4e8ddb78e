"""The client of X against the fake X: pages, allowances, retries and typed failures."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from castor_chassis import ServiceError
from castor_devstack.fake_x.corpus import filled, invented
from castor_devstack.fake_x.faults import Fault, Kind
from castor_devstack.fake_x.limits import PER_APP, Limits
from castor_devstack.fake_x.server import FakeX
from castor_devstack.stack.valkey import EmbeddedValkey
from twitter_service.x import rate_limits
from twitter_service.x.client import XClient, XPolicy
from twitter_service.x.errors import (
    UserNotFound,
    XAllowanceSpent,
    XLimitsUnavailable,
    XRejected,
    XUnauthorized,
    XUnavailable,
)
from twitter_service.x.rate_limits import XLimits
from twitter_service.x.span import Span

IN_FLIGHT = 8
"""Requests that a client sends at a time."""


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeX]:
    """A fake X with 400 posts and windows of two seconds."""
    running = FakeX(filled(invented(400)), limits=Limits(window_seconds=2), latency_seconds=0.005)
    await running.start()
    yield running
    await running.stop()


@asynccontextmanager
async def client(fake: FakeX, redis_url: str, account: str = "", **policy: Any) -> AsyncIterator[XClient]:
    """A client with an account of its own, or of the name given."""
    redis = Redis.from_url(redis_url)
    limits = XLimits(
        redis, account=account or uuid.uuid4().hex, max_in_flight=IN_FLIGHT, slot_seconds=20, margin_seconds=0.05
    )
    usual = {"timeout_seconds": 10, "connections": 64, "attempts": 4, "fail_max": 50, "reset_seconds": 1}
    x = XClient("key", limits, XPolicy(**{"base_url": fake.url, **usual, **policy}))
    yield x
    await x.close()
    await redis.aclose()


async def all_pages(x: XClient, query: str, patience: float = 60) -> list[int]:
    found: list[int] = []
    token: str | None = None
    while True:
        page = await x.search(query, Span(), token, size=10, archive=False, patience=patience)
        found += [int(post["id"]) for post in page.tweets]
        token = page.next_token
        if token is None:
            return found


async def test_reads_every_page_with_authors(fake: FakeX, redis_url: str) -> None:
    """All matches come, once each, with the fields that the store wants and their authors."""
    async with client(fake, redis_url) as x:
        assert await all_pages(x, "salud") == fake.corpus.find("salud")[::-1]
        page = await x.search("salud", Span(), None, size=10, archive=False, patience=5)
        assert {user["id"] for user in page.users} == {post["author_id"] for post in page.tweets}
        assert {"created_at", "public_metrics", "lang"} <= set(page.tweets[0])
        assert await x.count("salud", Span(), archive=False, patience=5) == len(fake.corpus.find("salud"))


async def test_no_request_is_sent_that_would_be_refused(fake: FakeX, redis_url: str) -> None:
    """200 requests at once over windows of 40: none is answered 429, and no window is left half unused."""
    fake.limits.per_window["search_recent"] = 40
    async with client(fake, redis_url) as x:
        began = time.monotonic()
        asks = [x.search("salud", Span(), None, size=10, archive=False, patience=110) for _ in range(200)]
        await asyncio.gather(*asks)
        assert fake.limits.refused["wasted"] == 0
        assert fake.statuses[200] == 200
        assert time.monotonic() - began < 60


async def test_two_replicas_share_one_allowance(fake: FakeX, redis_url: str) -> None:
    """Two processes' worth of clients on one key together stay within the windows."""
    fake.limits.per_window["search_recent"] = 30
    account = uuid.uuid4().hex
    async with client(fake, redis_url, account) as one, client(fake, redis_url, account) as two:
        asks = [x.search("salud", Span(), None, size=10, archive=False, patience=110) for x in (one, two) * 50]
        await asyncio.gather(*asks)
    assert fake.limits.refused["wasted"] == 0
    assert fake.statuses[200] == 100


async def test_somebody_else_on_the_same_key_is_noticed(fake: FakeX, redis_url: str) -> None:
    """What another program takes from the window is seen in the headers, and ours stays within the rest."""
    fake.limits.per_window["search_recent"] = 40
    async with client(fake, redis_url) as x:
        for _ in range(100):
            if fake.limits._window("search_recent").remaining > 20:
                fake.limits.take("search_recent")
            await x.search("salud", Span(), None, size=10, archive=False, patience=60)
    assert fake.limits.refused["wasted"] == 0


async def test_after_a_429_all_wait_for_its_reset(fake: FakeX, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One 429 out of nowhere stops everybody until its reset; then all are served."""
    fake.limits.crossing_seconds = 60
    # On a busy machine the reset is over when the answer is read, and what it says no longer counts.
    monkeypatch.setattr(rate_limits, "BLIND_SECONDS", 1)
    async with client(fake, redis_url) as x:
        await x.search("salud", Span(), None, size=10, archive=False, patience=5)
        fake.faults.plan([Fault("429", seconds=2.0)] * 2, every=10)
        await asyncio.gather(*(x.search("salud", Span(), None, size=10, archive=False, patience=60) for _ in range(60)))
    assert fake.limits.refused["injected"] == 2
    assert fake.limits.refused["wasted"] == 0
    # At most those that were on their way beside the two.
    assert fake.limits.refused["crossing"] <= 2 * (IN_FLIGHT - 1)
    assert fake.statuses[200] == 61


@pytest.mark.parametrize("kind", ["503", "500", "cut", "not_json", "slow"])
async def test_a_failure_that_passes_is_tried_again(fake: FakeX, redis_url: str, kind: Kind) -> None:
    """A failure of X or of the line, or an answer that takes too long, costs an attempt and loses nothing."""
    fake.faults.plan([Fault(kind, seconds=3)], every=2)
    async with client(fake, redis_url, timeout_seconds=1) as x:
        assert await all_pages(x, "salud") == fake.corpus.find("salud")[::-1]
    assert fake.faults.happened[kind] == 1


async def test_an_empty_page_is_not_the_end(fake: FakeX, redis_url: str) -> None:
    """A page without posts but with a next_token is followed."""
    fake.faults.plan([Fault("empty_page")] * 3, every=2)
    async with client(fake, redis_url) as x:
        assert await all_pages(x, "salud") == fake.corpus.find("salud")[::-1]
    assert fake.faults.happened["empty_page"] >= 1


async def test_x_down_is_said_so(fake: FakeX, redis_url: str) -> None:
    """When X fails again and again the caller is told X is unavailable, and the breaker spares X further requests."""
    async with client(fake, redis_url, attempts=2, fail_max=2, reset_seconds=30) as x:
        fake.faults.plan([Fault("503")] * 100)
        for _ in range(3):
            with pytest.raises(XUnavailable):
                await x.search("salud", Span(), None, size=10, archive=False, patience=5)
        assert fake.requests["search_recent"] == 2


async def test_x_unreachable_is_said_so(fake: FakeX, redis_url: str) -> None:
    """A host that does not answer is the same typed failure."""
    await fake.stop()
    async with client(fake, redis_url, attempts=2) as x:
        with pytest.raises(XUnavailable):
            await x.count("salud", Span(), archive=False, patience=5)


async def test_impatient_callers_hear_when_the_allowance_returns(fake: FakeX, redis_url: str) -> None:
    """A caller who cannot wait for the reset gets XAllowanceSpent at once, with the seconds that remain."""
    fake.limits = Limits(window_seconds=600, per_window={**PER_APP, "search_recent": 1})
    async with client(fake, redis_url) as x:
        await x.search("salud", Span(), None, size=10, archive=False, patience=5)
        began = time.monotonic()
        with pytest.raises(XAllowanceSpent) as caught:
            await x.search("salud", Span(), None, size=10, archive=False, patience=20)
        assert time.monotonic() - began < 10
        assert 500 < (caught.value.retry_after_seconds or 0) <= 601
    assert fake.limits.refused["wasted"] == 0


@pytest.mark.parametrize(("token", "query", "error"), [("", "salud", XUnauthorized), ("key", "lang:es", XRejected)])
async def test_refusals_are_typed(
    fake: FakeX, redis_url: str, token: str, query: str, error: type[ServiceError]
) -> None:
    """A key or a query that X refuses is a sentence with a status of its own, and is not tried again."""
    async with client(fake, redis_url) as x:
        x._x.bearer_token = token or None
        if not token:
            x._x.bearer_token = " "
        with pytest.raises(error):
            await x.search(query, Span(), None, size=10, archive=False, patience=5)
    assert sum(fake.requests.values()) == 1


async def test_looks_up_posts_and_accounts(fake: FakeX, redis_url: str) -> None:
    """Posts by id with those that are missing; accounts by handle; an account's posts page by page."""
    ids = [str(key) for key in list(fake.corpus.posts)[:3]]
    fake.corpus.delete(int(ids[0]))
    async with client(fake, redis_url) as x:
        page = await x.tweets(ids, patience=5)
        assert ([post["id"] for post in page.tweets], page.missing) == (ids[1:], ids[:1])
        user = await x.user("PERSONA7", patience=5)
        with pytest.raises(UserNotFound):
            await x.user("nadie", patience=5)
        timeline = await x.timeline(user["id"], Span(), None, size=100, patience=5)
        assert [int(post["id"]) for post in timeline.tweets] == fake.corpus.by(user["id"])[::-1]


async def test_a_lost_slot_lapses(fake: FakeX, redis_url: str) -> None:
    """A slot that a killed replica held is free again after its time, and the others go on."""
    redis, account = Redis.from_url(redis_url), uuid.uuid4().hex
    dead = XLimits(redis, account=account, max_in_flight=1, slot_seconds=1, margin_seconds=0.05)
    held = dead.slot("search_recent", 5)
    async with client(fake, redis_url, account) as x:
        began = time.monotonic()
        await held.__aenter__()
        await x.search("salud", Span(), None, size=10, archive=False, patience=30)
        assert time.monotonic() - began > 0.5
    await held.__aexit__(None, None, None)
    await redis.aclose()


async def test_without_redis_nothing_is_sent(fake: FakeX, redis_url: str, redis_server: EmbeddedValkey) -> None:
    """While Redis is away no request goes to X, callers hear why, and all heals when it is back."""
    async with client(fake, redis_url) as x:
        await asyncio.to_thread(redis_server.stop)
        with pytest.raises(XLimitsUnavailable):
            await x.search("salud", Span(), None, size=10, archive=False, patience=5)
        assert not fake.requests
        await asyncio.to_thread(redis_server.start)
        assert (await x.search("salud", Span(), None, size=10, archive=False, patience=30)).tweets

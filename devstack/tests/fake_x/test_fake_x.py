"""The fake X: it answers, limits and fails as X documents it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from castor_devstack.fake_x.corpus import filled, invented, wire_time
from castor_devstack.fake_x.faults import Fault
from castor_devstack.fake_x.limits import PER_APP, Limits
from castor_devstack.fake_x.query import QueryError, leaves, matches, parse
from castor_devstack.fake_x.server import FakeX


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeX]:
    """A fake X with 300 posts and windows of two seconds."""
    running = FakeX(filled(invented(300)), limits=Limits(window_seconds=2, per_window={**PER_APP, "search_recent": 5}))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a key."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer key"}) as session:
        yield session


async def ask(http: aiohttp.ClientSession, fake: FakeX, path: str, **q: Any) -> tuple[int, dict[str, Any], Any]:
    async with http.get(fake.url + path, params=q) as response:
        return response.status, await response.json(), response.headers


async def test_pages_hold_every_match_once_and_bring_the_authors(fake: FakeX, http: aiohttp.ClientSession) -> None:
    """Following next_token visits every match once, newest first, with the expanded authors."""
    fake.limits.per_window["search_recent"] = 100
    q = {"query": "salud", "max_results": 10, "expansions": "author_id"}
    seen: list[int] = []
    while True:
        status, page, _ = await ask(http, fake, "/2/tweets/search/recent", **q)
        assert status == 200
        assert {post["id"] for post in page["data"]}
        assert page["includes"]["users"]
        seen += [int(post["id"]) for post in page["data"]]
        if "next_token" not in page["meta"]:
            break
        q["next_token"] = page["meta"]["next_token"]
    assert seen == fake.corpus.find("salud")[::-1]
    _, counted, _ = await ask(http, fake, "/2/tweets/counts/recent", query="salud")
    assert counted["meta"]["total_tweet_count"] == len(seen) == fake.billed


async def test_limits_are_told_by_header_and_kept(fake: FakeX, http: aiohttp.ClientSession) -> None:
    """The allowance counts down to a 429, names its reset, and is counted as wasted."""
    fake.limits.window_seconds = 600
    answers = [await ask(http, fake, "/2/tweets/search/recent", query="salud") for _ in range(6)]
    left = [int(headers["x-rate-limit-remaining"]) for _, _, headers in answers]
    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    assert left == [4, 3, 2, 1, 0, 0]
    assert fake.limits.refused["wasted"] == 1


@pytest.mark.parametrize(
    ("q", "status"),
    [
        ({}, 400),
        ({"query": "lang:es"}, 400),
        ({"query": "salud OR"}, 400),
        ({"query": "salud", "max_results": 9}, 400),
        ({"query": "salud", "start_time": wire_time(datetime.now(UTC) - timedelta(days=8))}, 400),
        ({"query": "salud", "end_time": wire_time(datetime.now(UTC) + timedelta(days=1))}, 400),
        ({"query": "salud", "next_token": "!"}, 400),
        ({"query": "s" * 513}, 400),
    ],
)
async def test_bad_requests_are_refused(
    fake: FakeX, http: aiohttp.ClientSession, q: dict[str, Any], status: int
) -> None:
    """What X refuses is refused, with a detail."""
    fake.limits.per_window["search_recent"] = 100
    answered, page, _ = await ask(http, fake, "/2/tweets/search/recent", **q)
    assert (answered, bool(page["detail"])) == (status, True)


async def test_a_key_is_needed(fake: FakeX) -> None:
    """Without a key the answer is 401."""
    async with aiohttp.ClientSession() as bare:
        assert (await ask(bare, fake, "/2/tweets/search/recent", query="salud"))[0] == 401


async def test_faults_happen_once_each(fake: FakeX, http: aiohttp.ClientSession) -> None:
    """Each planned fault happens once, and the request after it is served."""
    fake.limits.per_window["counts_recent"] = 100
    fake.faults.plan([Fault("503"), Fault("500"), Fault("cut")])
    for status in (503, 500):
        assert (await ask(http, fake, "/2/tweets/counts/recent", query="salud"))[0] == status
    with pytest.raises(aiohttp.ClientError):
        await ask(http, fake, "/2/tweets/counts/recent", query="salud")
    assert (await ask(http, fake, "/2/tweets/counts/recent", query="salud"))[0] == 200
    assert fake.faults.happened == {"503": 1, "500": 1, "cut": 1}


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("a b OR c", "c", True),
        ("a b OR c", "a", False),
        ("a (b OR c)", "c", False),
        ("a (b OR c)", "a c", True),
        ('"b c" -d', "a b c", True),
        ('"b c" -d', "a b c d", False),
        ("a -(b OR c)", "a b", False),
        ("a -(b OR c)", "a", True),
        ("#tag", "un #Tag aquí", True),
        ("#tag", "tag", False),
        ("@ana", "hola @Ana", True),
        ("from:eva", "a", True),
        ("from:ana", "a", False),
    ],
)
def test_queries_mean_what_x_documents(query: str, text: str, found: bool) -> None:
    """AND binds tighter than OR, a minus negates what follows it, phrases are words in a row."""
    assert matches(parse(query), {"text": text, "lang": "es"}, "eva") is found


@pytest.mark.parametrize("query", ["", "(", "a OR", "OR a", "(a", "a)", '"', "nope:x", "-a", "lang:es"])
def test_wrong_queries_are_refused(query: str) -> None:
    """What X cannot read is an error, not a guess."""
    with pytest.raises(QueryError):
        list(leaves(parse(query)))

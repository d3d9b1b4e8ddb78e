"""Collections: runs on a schedule from a checkpoint, and the stream whose disconnects are filled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_devstack.fake_x.corpus import Corpus
from castor_devstack.fake_x.faults import Fault
from castor_devstack.fake_x.server import FakeX
from twitter_service.metrics import X_BUDGET_SPENT, X_STREAM_OPEN, X_STREAM_WANTED

from ..conftest import Start, Twitter
from ..x_kit import empty_x, fake_x, finished, stored_ids, with_x

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = "paro lang:es -is:retweet"


@pytest_asyncio.fixture(loop_scope="module")
async def fake(database: asyncpg.Connection) -> AsyncIterator[FakeX]:
    """A fake X with 200 posts, and a service that has not read it."""
    await empty_x(database)
    async with fake_x(200) as running:
        yield running


def collection(**given: Any) -> dict[str, Any]:
    return {"id": "paro", "name": "Paro", "query": {"any_of": ["paro"]}, "every_seconds": 10, **given}


async def until_stored(database: asyncpg.Connection, wanted: set[int], seconds: float = 100) -> set[int]:
    """Wait until all of ``wanted`` is stored; return all that is."""
    async with asyncio.timeout(seconds):
        while not wanted <= (found := await stored_ids(database)):
            await asyncio.sleep(0.2)
    return found


async def made(twitter: Twitter, **given: Any) -> Any:
    response = await twitter.send("POST", "/collections", collection(**given))
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def test_a_collection_reads_on_from_its_checkpoint(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """The first run reads what there is, later ones what is new; between them nothing is left out or paid twice."""
    async with with_x(start_twitter, fake, redis_url) as twitter:
        await made(twitter)
        await until_stored(database, set(fake.corpus.find(QUERY)))
        fake.corpus.add("sigue el paro", at=datetime.now(UTC) - timedelta(seconds=30))
        await until_stored(database, set(fake.corpus.find(QUERY)))
        state = await twitter.data("/collections/paro")
        assert state["read_through"] is not None
        runs = (await twitter.data("/collections/paro/searches"))["items"]
        assert len(runs) >= 2
        assert runs[-1]["kind"] == "collection"
        truth = fake.corpus.find(QUERY)
        assert (await twitter.data("/usage", purpose="trending"))["budgets"][0]["tweets_spent"] == len(truth)
        assert [item["id"] for item in (await twitter.data("/collections"))["items"]] == ["paro"]
    assert fake.limits.refused["wasted"] == 0


async def test_a_run_that_meets_its_cap_goes_on(
    start_twitter: Start, redis_url: str, database: asyncpg.Connection
) -> None:
    """With a cap below what there is, later runs go on where the first one ended, and the checkpoint waits for them."""
    await empty_x(database)
    corpus = Corpus()
    for minute in range(35):
        corpus.add(f"paro {minute}", at=datetime.now(UTC) - timedelta(minutes=minute + 5))
    async with fake_x(corpus) as fake, with_x(start_twitter, fake, redis_url) as twitter:
        await made(twitter, max_tweets=20)
        async with asyncio.timeout(60):
            while len(await stored_ids(database)) < 20:
                await asyncio.sleep(0.1)
        assert (await twitter.data("/collections/paro"))["read_through"] is None
        await until_stored(database, set(corpus.find(QUERY)))
        async with asyncio.timeout(60):
            while (await twitter.data("/collections/paro"))["read_through"] is None:
                await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_a_stream_with_twenty_disconnects_loses_nothing(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """Posts are written before, during and after 20 disconnects; every one is stored, once."""
    fake.limits.per_window["stream"] = 1000
    async with with_x(start_twitter, fake, redis_url, x_gap_settle_seconds=11) as twitter:
        await made(twitter, mode="stream")
        since = len(fake.corpus.posts)
        for cut in range(20):
            async with asyncio.timeout(60):
                while not fake.stream.connected:
                    await asyncio.sleep(0.01)
            for number in range(8):
                if number == 5:
                    assert fake.stream.disconnect() == 1
                fake.stream.publish(f"paro número {cut} {number}", at=datetime.now(UTC))
                await asyncio.sleep(0.01)
        assert fake.stream.disconnects == 20
        written = {int(key) for key in list(fake.corpus.posts)[since:]}
        assert len(written) == 160
        assert fake.stream.delivered < 160
        assert await until_stored(database, written, seconds=150) == written
        state = await twitter.data("/collections/paro")
        assert state["connects"] >= 20
        kinds = {row["kind"] for row in await database.fetch("SELECT DISTINCT kind FROM x_searches")}
        assert kinds == {"gap"}
    assert await database.fetchval("SELECT tweets FROM feed_state") == 160
    assert fake.limits.refused["wasted"] == 0


async def test_without_budget_the_stream_rests_and_fills_up_later(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """A collection whose budget is spent is not followed and says so; with budget again, what it missed is filled."""
    spent = X_BUDGET_SPENT.labels("trending")._value.get()
    async with with_x(start_twitter, fake, redis_url, x_daily_posts=50) as twitter:
        await made(twitter, mode="stream")
        async with asyncio.timeout(60):
            while (await twitter.data("/collections/paro"))["error_code"] != "budget_spent":
                await asyncio.sleep(0.1)
        missed = fake.stream.publish("paro sin presupuesto", at=datetime.now(UTC))
        assert not fake.stream.connected
        # Nothing is wanted of the stream, so its rest is no outage; that the budget is spent is counted.
        assert X_STREAM_WANTED._value.get() == 0
        assert X_BUDGET_SPENT.labels("trending")._value.get() > spent
    async with with_x(start_twitter, fake, redis_url, x_gap_settle_seconds=11) as twitter:
        await until_stored(database, {int(missed["id"])})
        assert (X_STREAM_WANTED._value.get(), X_STREAM_OPEN._value.get()) == (1, 1)
        assert (await twitter.data("/collections/paro"))["error_code"] is None


async def test_collections_are_managed(start_twitter: Start, fake: FakeX, redis_url: str) -> None:
    """Creating twice is 409, a bad query 422, an unknown one 404; a disabled one rests, a deleted one is gone."""
    fake.faults.plan([Fault("slow", seconds=0.1)])
    async with with_x(start_twitter, fake, redis_url) as twitter:
        await made(twitter)
        again = await twitter.send("POST", "/collections", collection())
        assert (again.status_code, again.json()["code"]) == (409, "collection_exists")
        bad = await twitter.send("POST", "/collections", collection(id="b", query={}))
        assert (bad.status_code, bad.json()["code"]) == (422, "search_empty")
        assert (await twitter.get("/collections/nada")).json()["code"] == "collection_not_found"
        rested = (await twitter.send("PATCH", "/collections/paro", {"enabled": False})).json()["data"]
        assert rested["enabled"] is False
        assert (await twitter.send("DELETE", "/collections/paro")).status_code == 200
        assert (await twitter.get("/collections/paro")).status_code == 404


async def test_collections_and_searches_are_their_organisations(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """Another organisation may use the same id, learns of nothing and changes nothing; the tweets are shared."""
    async with with_x(start_twitter, fake, redis_url) as acme:
        other = acme.of("alba")
        await made(acme)
        search = (await acme.send("POST", "/searches", {"any_of": ["paro"], "max_tweets": 100})).json()["data"]
        await finished(acme, search)
        for method, path in (
            ("GET", "/collections/paro"), ("GET", "/collections/paro/searches"), ("DELETE", "/collections/paro"),
            ("GET", f"/searches/{search['id']}"),
        ):  # fmt: skip
            assert (await other.send(method, path)).status_code == 404, path
        assert (await other.send("PATCH", "/collections/paro", {"enabled": False})).status_code == 404
        assert (await other.data("/collections"))["items"] == (await other.data("/searches"))["items"] == []

        own = await made(other, name="Nuestro")
        assert (own["id"], own["name"]) == ("paro", "Nuestro")
        assert (await other.send("POST", "/collections", collection())).status_code == 409
        async with asyncio.timeout(100):
            while not (runs := (await other.data("/collections/paro/searches"))["items"]):
                await asyncio.sleep(0.1)
        await finished(other, runs[0])
        assert {run["collection"] for run in runs} == {"paro"}
        assert await database.fetchval("SELECT since_id FROM x_collections WHERE org = 'alba'") is not None
        assert (await other.data("/tweets", limit=1))["items"] == (await acme.data("/tweets", limit=1))["items"]

        assert (await other.send("DELETE", "/collections/paro")).status_code == 200
        assert (await acme.data("/collections/paro"))["name"] == "Paro"
        assert {one["collection"] for one in (await acme.data("/searches"))["items"]} == {"paro", None}


async def test_two_organisations_follow_the_stream_under_one_id(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """Each has rules, a checkpoint and an account of its own."""
    async with with_x(start_twitter, fake, redis_url) as acme:
        other = acme.of("alba")
        await made(acme, mode="stream")
        await made(other, mode="stream", query={"any_of": ["salud"]})
        async with asyncio.timeout(100):
            while not all([(await one.data("/collections/paro"))["streaming"] for one in (acme, other)]):
                await asyncio.sleep(0.1)
        written = fake.stream.publish("la salud no espera", at=datetime.now(UTC))
        await until_stored(database, {int(written["id"])})
        assert (await other.send("DELETE", "/collections/paro")).status_code == 200
        assert (await acme.data("/collections/paro"))["streaming"] is True

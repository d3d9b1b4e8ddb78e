"""Searches of X over the service's own routes, against the fake X."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_devstack.fake_x.faults import Fault
from castor_devstack.fake_x.server import FakeX

from ..conftest import Start, Twitter
from ..x_kit import empty_x, fake_x, finished, stored_ids, with_x

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def fake(database: asyncpg.Connection) -> AsyncIterator[FakeX]:
    """A fake X with 400 posts, and a service that has not read it."""
    await empty_x(database)
    async with fake_x() as running:
        yield running


async def search(twitter: Twitter, key: str | None = None, **body: Any) -> Any:
    headers = twitter.headers | ({"Idempotency-Key": key} if key else {})
    return await twitter.service.client.post("/v1/twitter/searches", json=body, headers=headers)


async def searched(twitter: Twitter, **body: Any) -> Any:
    response = await search(twitter, **body)
    assert response.status_code == 202, response.text
    return await finished(twitter, response.json()["data"])


async def test_a_search_stores_every_match_once(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """A search brings exactly what X has for it, costs what the preview said, and costs nothing the second time."""
    truth = fake.corpus.find("salud lang:es -is:retweet")
    async with with_x(start_twitter, fake, redis_url) as twitter:
        preview = (await twitter.send("POST", "/searches/preview", {"any_of": ["salud"]})).json()["data"]
        assert preview["queries"] == ["salud lang:es -is:retweet"]
        assert preview["tweets_found"] == preview["tweets_to_read"] == len(truth)
        assert preview["fits_budget"] is True
        done = await searched(twitter, any_of=["salud"], max_tweets=1000)
        assert (done["state"], done["outcome"], done["complete"]) == ("done", "tweets", True)
        assert (done["tweets_read"], done["tweets_stored"], done["usd"]) == (len(truth), len(truth), preview["usd"])
        assert await stored_ids(database) == set(truth)
        again = await searched(twitter, any_of=["salud"], max_tweets=1000)
        assert (again["tweets_read"], again["tweets_billed"], again["tweets_stored"]) == (len(truth), 0, 0)
        listed = (await twitter.data("/searches", limit=1))["items"]
        assert [item["id"] for item in listed] == [again["id"]]
        usage = await twitter.data("/usage")
        assert usage["budgets"][0]["tweets_spent"] == len(truth) == fake.billed
        assert usage["budgets"][0]["tweets_reserved"] == 0
        assert {"counts_recent", "search_recent"} == {item["endpoint"] for item in usage["allowances"]}
    assert fake.limits.refused["wasted"] == 0


async def test_no_tweets_budget_spent_and_x_down_are_three_answers(
    start_twitter: Start, fake: FakeX, redis_url: str
) -> None:
    """Nothing found is done with no_tweets; a spent budget is 402 before any spending; X down is 503."""
    async with with_x(start_twitter, fake, redis_url, x_daily_posts=20, x_attempts=1) as twitter:
        none = await searched(twitter, any_of=["zarzuela"], max_tweets=20)
        assert (none["state"], none["outcome"], none["tweets_read"], none["usd"]) == ("done", "no_tweets", 0, 0)
        refused = await search(twitter, any_of=["salud"], max_tweets=1000)
        assert (refused.status_code, refused.json()["code"]) == (402, "budget_spent")
        assert fake.billed == 0
        fake.faults.plan([Fault("503")] * 5)
        down = await twitter.send("POST", "/searches/preview", {"any_of": ["salud"]})
        assert (down.status_code, down.json()["code"]) == (503, "x_unavailable")
        assert "retry-after" in down.headers


async def test_a_search_that_fits_only_by_its_count_is_taken(start_twitter: Start, fake: FakeX, redis_url: str) -> None:
    """Where the cap is beyond the budget, X is asked how much there is, and that is reserved instead."""
    count = len(fake.corpus.find('"medio ambiente" Pasto lang:es -is:retweet'))
    async with with_x(start_twitter, fake, redis_url, x_daily_posts=count + 9) as twitter:
        done = await searched(twitter, any_of=["medio ambiente"], all_of=["Pasto"], max_tweets=5000)
        assert (done["tweets_read"], done["complete"], done["max_tweets"]) == (count, True, max(10, count + 9))


async def test_max_tweets_is_never_passed(start_twitter: Start, fake: FakeX, redis_url: str) -> None:
    """A capped search reads at most its cap and says that it is not complete."""
    async with with_x(start_twitter, fake, redis_url) as twitter:
        done = await searched(twitter, hashtags=["Debate"], max_tweets=35)
        assert (done["state"], done["complete"]) == ("done", False)
        assert 26 <= done["tweets_read"] <= 35


async def test_the_same_key_is_the_same_search(start_twitter: Start, fake: FakeX, redis_url: str) -> None:
    """A repeated Idempotency-Key answers with the first search, at once or later; for another body it is 422."""
    async with with_x(start_twitter, fake, redis_url) as twitter:
        key = str(uuid.uuid4())
        answers = await asyncio.gather(*(search(twitter, key, any_of=["salud"]) for _ in range(6)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["data"]["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
        other = await search(twitter, key, any_of=["paro"])
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert (await search(twitter, "k1", any_of=["salud"])).status_code == 422
        await finished(twitter, answers[0].json()["data"])
        usage = await twitter.data("/usage")
        assert usage["budgets"][0]["tweets_reserved"] == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "search_empty"),
        ({"any_of": ["..."]}, "search_term_empty"),
        ({"any_of": ["a"], "days_back": 30}, "search_window"),
        ({"any_of": ["a"], "since": (datetime.now(UTC) - timedelta(days=9)).isoformat()}, "search_window"),
        ({"any_of": ["a"], "since": "2099-01-01T00:00:00Z"}, "search_window_empty"),
        ({"any_of": ["a"], "until": "2020-01-01T00:00:00Z"}, "search_window_empty"),
        ({"any_of": ["a"], "archive": True}, "archive_not_enabled"),
        ({"any_of": ["a"], "all_of": ["b" * 200, "c" * 200, "d" * 200]}, "search_too_long"),
        ({"any_of": ["a"], "days_back": 2, "since": "2026-01-01T00:00:00Z"}, "validation_error"),
        ({"authors": ["x OR y"]}, "validation_error"),
    ],
)
async def test_what_cannot_be_searched_is_said(
    start_twitter: Start, fake: FakeX, redis_url: str, body: dict[str, Any], code: str
) -> None:
    """Each impossible search is a 422 with its own code, and nothing is asked of X."""
    async with with_x(start_twitter, fake, redis_url) as twitter:
        for path in ("/searches/preview", "/searches"):
            response = await twitter.send("POST", path, body)
            assert (response.status_code, response.json()["code"]) == (422, code), response.text
    assert not fake.requests


@pytest.mark.usefixtures("fake")
async def test_without_a_key_it_says_so(start_twitter: Start) -> None:
    """Without X_BEARER_TOKEN searches answer 409 x_not_configured with what to do; usage goes on."""
    async with start_twitter() as twitter:
        for path in ("/searches/preview", "/searches"):
            response = await twitter.send("POST", path, {"any_of": ["salud"]})
            assert (response.status_code, response.json()["code"]) == (409, "x_not_configured")
        assert "X_BEARER_TOKEN" in response.json()["error"]
        assert (await twitter.data("/usage"))["x_configured"] is False


async def test_an_outage_of_x_delays_a_search_and_loses_nothing(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """A search that meets an X that is down waits, says why, and is finished when X is back."""
    truth = set(fake.corpus.find("salud lang:es -is:retweet"))
    async with with_x(start_twitter, fake, redis_url, x_attempts=1) as twitter:
        fake.faults.plan([Fault("503", "search_recent")] * 1000)
        begun = (await search(twitter, any_of=["salud"])).json()["data"]
        async with asyncio.timeout(60):
            while (found := await twitter.data(f"/searches/{begun['id']}"))["error_code"] is None:
                assert found["state"] in ("queued", "running")
                await asyncio.sleep(0.02)
        assert found["error_code"] == "x_unavailable"
        fake.faults.waiting.clear()
        done = await finished(twitter, begun)
        assert (done["state"], done["error_code"]) == ("done", None)
    assert await stored_ids(database) == truth


async def test_a_killed_replica_leaves_its_search_to_another(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """A job whose lease has lapsed resumes where it stood, with a new reservation."""
    truth = set(fake.corpus.find("salud lang:es -is:retweet"))
    async with with_x(start_twitter, fake, redis_url, x_lease_seconds=2) as twitter:
        begun = (await search(twitter, any_of=["salud"])).json()["data"]
        done = await finished(twitter, begun)
        await database.execute(
            "UPDATE x_searches SET state = 'running', claim = 'dead', lease_until = now() - interval '1 s', "
            "complete = false, finished_at = NULL, query_number = 0, next_token = NULL, posts_read = 0"
        )
        for table in ("tweets", "tweet_raw", "tweet_entities"):
            await database.execute(f"DELETE FROM {table}")
        again = await finished(twitter, begun)
        assert (again["state"], again["complete"]) == ("done", True)
        assert again["tweets_billed"] == done["tweets_billed"] == len(truth)
    assert await stored_ids(database) == truth


async def test_timelines_and_look_ups(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """An account's posts and posts by id are read under the same ledger; an unknown account is 404."""
    mine = fake.corpus.by(fake.corpus.user("persona7")["id"])
    async with with_x(start_twitter, fake, redis_url) as twitter:
        response = await twitter.send("POST", "/users/@Persona7/timeline", {})
        assert response.status_code == 202, response.text
        done = await finished(twitter, response.json()["data"])
        assert (done["kind"], done["tweets_read"], done["complete"]) == ("timeline", len(mine), True)
        assert await stored_ids(database) == set(mine)
        missing = await twitter.send("POST", "/users/nadie/timeline", {})
        assert (missing.status_code, missing.json()["code"]) == (404, "x_user_not_found")
        others = [str(key) for key in fake.corpus.posts if key not in mine][:4]
        fake.corpus.delete(int(others[0]))
        looked = (await twitter.send("POST", "/lookups", {"ids": others})).json()["data"]
        assert (looked["found"], looked["missing"], looked["tweets_billed"]) == (others[1:], others[:1], 3)
        assert await stored_ids(database) == {*mine, *map(int, others[1:])}
        budgets = (await twitter.data("/usage"))["budgets"]
        assert budgets[0]["tweets_spent"] == len(mine) + 3
        assert budgets[0]["usd_spent"] == pytest.approx((len(mine) + 3) * 0.005 + 0.010)
        assert budgets[0]["tweets_reserved"] == 0


async def test_an_entity_is_searched_by_all_its_names(
    start_twitter: Start, fake: FakeX, redis_url: str, database: asyncpg.Connection
) -> None:
    """Aliases, hashtags and accounts of a tracked entity become alternatives; what is found counts for it."""
    async with with_x(start_twitter, fake, redis_url) as twitter:
        entity = {"id": "botero", "name": "Amparo Botero", "kind": "candidate", "handles": ["persona3"]}
        assert (await twitter.send("POST", "/entities", entity)).status_code == 201
        done = await searched(twitter, entity="botero", max_tweets=1000)
        assert done["queries"] == ['("Amparo Botero" OR @persona3 OR from:persona3) lang:es -is:retweet']
        assert await stored_ids(database) == set(fake.corpus.find(done["queries"][0]))
        counted = await database.fetchval("SELECT count(*) FROM tweet_entities WHERE entity_id = 'botero'")
        assert counted == done["tweets_stored"] > 0
        unknown = await twitter.send("POST", "/searches", {"entity": "nadie"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "entity_not_found")


async def test_windows_at_the_ends_of_the_calendar_are_answered_or_refused(
    start_twitter: Start, fake: FakeX, redis_url: str
) -> None:
    """X is asked for no time that it does not have, and no arithmetic leaves the calendar."""
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
    windows = [{"since": first}, {"until": first}, {"since": last}, {"until": last}, {"since": first, "until": last}]
    async with with_x(start_twitter, fake, redis_url) as twitter:
        for window in windows:
            for path in ("/searches/preview", "/searches"):
                answer = await twitter.send("POST", path, {"any_of": ["salud"], **window})
                assert answer.status_code in (200, 202, 422), (path, window, answer.text)
            answer = await twitter.send("POST", "/users/nobody/timeline", window)
            assert answer.status_code in (202, 404, 422), (window, answer.text)

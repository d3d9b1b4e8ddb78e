"""The feed: complete, in order, and never past a change that is still being committed."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from castor_chassis import Postgres
from castor_chassis.testing import until
from twitter_service.matching.entities import Matcher
from twitter_service.metrics import FEED_HEAD
from twitter_service.scoring.score_repository import ScoreRepository, TweetScore
from twitter_service.tweets import feed as feed_module
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.feed import Feed
from twitter_service.tweets.feed_repository import FeedRepository, FeedState, lock_feed
from twitter_service.tweets.model import NewTweet
from twitter_service.tweets.repository import TweetRepository

from ..conftest import FIRST_ID, Start, Twitter, csv_of, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")


def tweets(first: int, count: int) -> list[NewTweet]:
    """Return tweets with ids from ``first``."""
    at = datetime(2022, 5, 1, tzinfo=UTC)
    return [NewTweet(id=first + n, username="ana", author_id=None, created_at=at, text="t") for n in range(count)]


async def test_a_tweet_comes_at_once_and_again_with_its_sentiment(twitter: Twitter) -> None:
    """The feed shows a tweet when it is stored, and once more, under a higher number, when it is scored."""
    twitter.sentiment.gates["/v1/sentiment/batch"] = scoring = asyncio.Event()
    await twitter.imported(csv_of([(FIRST_ID, "ana", "2022-05-01T10:00:00Z", "muy bien")]))
    first = await twitter.whole_feed()
    assert [(item["id"], item["sentiment"]) for item in first] == [(str(FIRST_ID), None)]
    scoring.set()
    response = await twitter.get("/tweets/feed", after=first[0]["seq"], wait=25)
    again = response.json()["data"]["items"]
    assert [item["id"] for item in again] == [str(FIRST_ID)]
    assert again[0]["seq"] > first[0]["seq"]
    assert again[0]["sentiment"] == {
        "positive": 0.8, "neutral": 0.1, "negative": 0.1, "label": "positive", "model": "words@1",
    }  # fmt: skip
    assert len(await twitter.whole_feed()) == 1


async def test_pages_are_complete_and_in_order(twitter: Twitter) -> None:
    """Reading page by page gives every tweet, numbers rising, each once."""
    await twitter.imported(numbered(950))
    while (await twitter.data("/scores/progress"))["pending"]:
        await asyncio.sleep(0.05)
    items = await twitter.whole_feed()
    assert len({item["id"] for item in items}) == len(items) == 950
    assert [item["seq"] for item in items] == sorted(item["seq"] for item in items)


async def test_writers_plan_for_what_is_there(migrated: str) -> None:
    """No statement of a writer runs by a plan from when the table was empty; readers keep theirs."""
    postgres = Postgres(migrated)
    await postgres.open()
    async with postgres.transaction() as connection:
        await lock_feed(connection)
        assert await connection.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
    assert await postgres.fetchval("SHOW plan_cache_mode") == "auto"
    await postgres.close()


async def test_slow_writers_are_not_passed(migrated: str, database: asyncpg.Connection) -> None:
    """A reader never sees a number while a lower one is still being committed by a slow writer."""
    postgres = Postgres(migrated)
    await postgres.open()
    repository, feed = TweetRepository(postgres), FeedRepository(postgres)
    revision = await database.fetchval("SELECT entity_revision FROM feed_state")
    slow = database.transaction()
    await slow.start()
    head = await database.fetchval("SELECT head FROM feed_state FOR UPDATE")
    await database.execute(
        "INSERT INTO tweets (id, username, created_at, text, import_id, change_seq) "
        "VALUES (1, 'slow', now(), 't', 'x', $1)",
        head + 1,
    )
    await database.execute("UPDATE feed_state SET head = head + 1, tweets = tweets + 1")
    fast = asyncio.ensure_future(repository.add(Batch.of(tweets(100, 5), Matcher([]), revision), "x"))
    await asyncio.sleep(0.3)
    assert await feed.changes(0, 100) == []
    assert not fast.done()
    await slow.commit()
    assert (await fast).new == 5
    # Sorted, since the service of other tests may have scored some meanwhile, which moves them to the end.
    assert sorted(change.id for change in await feed.changes(0, 100)) == [1, 100, 101, 102, 103, 104]
    await postgres.close()


async def test_a_reader_beside_many_writers_misses_nothing(migrated: str, database: asyncpg.Connection) -> None:
    """While writers add and score at random speed, one pass of the cursor sees every tweet's last change."""
    postgres = Postgres(migrated, size=10)
    await postgres.open()
    repository, feed, scores = TweetRepository(postgres), FeedRepository(postgres), ScoreRepository(postgres)
    revision = await database.fetchval("SELECT entity_revision FROM feed_state")

    async def write(number: int) -> None:
        first = 1000 * (number + 1)
        await repository.add(Batch.of(tweets(first, 40), Matcher([]), revision), "x")
        await scores.save([TweetScore(first + n, first + n, 0.1, 0.8, 0.1, "neutral") for n in range(40)], "m@1")

    writers = asyncio.gather(*(write(number) for number in range(12)))
    cursor, last = 0, {}
    done = False
    while not done:
        done = writers.done()
        for change in await feed.changes(cursor, 7):
            assert change.change_seq > cursor
            cursor, last[change.id] = change.change_seq, change.label
            done = False
    await writers
    assert len(last) == 480
    assert set(last.values()) == {"neutral"}
    await postgres.close()


async def test_long_poll_answers_with_the_change(start_twitter: Start) -> None:
    """A waiting consumer is answered when something is stored, long before its time is up."""
    async with start_twitter() as twitter:
        waiting = asyncio.ensure_future(twitter.get("/tweets/feed", after=0, wait=25))
        await asyncio.sleep(0.2)
        await twitter.imported(csv_of([(1, "ana", "2022-05-01T10:00:00Z", "hola")]))
        answer = (await waiting).json()
        assert [item["id"] for item in answer["data"]["items"]] == ["1"]
        assert answer["meta"]["at_end"] is True


async def test_long_poll_ends_empty_before_the_deadline(start_twitter: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news a long poll answers empty with the same cursor before the deadline; waiters are bounded."""
    monkeypatch.setattr(feed_module, "MARGIN_SECONDS", 12)
    async with start_twitter(feed_max_waiters=1) as twitter:
        headers = {**twitter.headers, "X-Request-Timeout-Ms": "15000"}
        ask = lambda: twitter.service.client.get(  # noqa: E731
            "/v1/twitter/tweets/feed", params={"after": 7, "wait": 25}, headers=headers
        )
        started = time.monotonic()
        answers = await asyncio.gather(ask(), ask())
        assert sorted(answer.status_code for answer in answers) == [200, 429]
        assert time.monotonic() - started > 0.5
        answer = next(a for a in answers if a.status_code == 200).json()
        assert (answer["data"]["items"], answer["meta"]["next_cursor"]) == ([], "7")


async def test_a_poll_waits_where_the_newest_changes_are_gone() -> None:
    """The head stays where it was when old tombstones are deleted; who has read everything still waits for news."""
    heads, stored, asked = [7], list[Any](), asyncio.Event()

    async def changes(_after: int, _limit: int) -> list[Any]:
        asked.set()
        return stored.copy()

    async def state() -> FeedState:
        return FeedState(heads[-1], 0, 0, 0, 0, None, None)

    repository: Any = SimpleNamespace(state=state, changes=changes)
    feed = Feed(repository, max_waiters=1, is_draining=lambda: False)
    FEED_HEAD.set(0)

    async def has_looked() -> bool:
        return bool(FEED_HEAD._value.get() == 7)

    watching = asyncio.ensure_future(feed.watch())
    try:
        await until(has_looked)
        polling = asyncio.ensure_future(feed.page(5, 10, 60))
        await asked.wait()
        stored.append("news")
        heads.append(8)
        assert await polling == ["news"]
    finally:
        watching.cancel()


async def test_an_erased_tweet_is_told_to_consumers(twitter: Twitter, database: asyncpg.Connection) -> None:
    """Erasing leaves nothing but the id, says so in the feed, and holds against a new import."""
    row = csv_of([(5, "ana", "2022-05-01T10:00:00Z", "secreto")])
    await twitter.imported(row)
    response = await twitter.send("POST", "/erasures", {"ids": ["5", "6", "9223372036854775808"]})
    assert response.json()["data"] == {"erased": ["5"], "unknown": ["6", "9223372036854775808"]}
    item = (await twitter.whole_feed())[0]
    assert (item["deleted"], item["text"], item["username"], item["sentiment"]) == (True, "", "", None)
    assert (await twitter.get("/tweets/5")).status_code == 404
    assert (await twitter.imported(row))["duplicates"] == 1
    assert not await database.fetchval("SELECT count(*) FROM tweets WHERE text <> '' OR raw IS NOT NULL")
    assert (await twitter.data("/scores/progress"))["tweets"] == 0

"""How far authors can be trusted, and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec import structs

from castor_chassis import Postgres
from castor_chassis.testing import until
from twitter_service.maintenance.assessment_repository import AssessmentRepository
from twitter_service.maintenance.credibility import Activity, assess
from twitter_service.matching.entities import Matcher
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import Author, NewTweet
from twitter_service.tweets.repository import TweetRepository

from ..conftest import USER, Start, Twitter, numbered, page_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_credibility_is_explained_and_can_be_filtered(twitter: Twitter) -> None:
    """An author's score is the sum of its reasons; low ones are listed unless a filter asks otherwise."""
    spammer = {
        "id": "8", "username": "ana20261", "created_at": "2025-12-30T00:00:00Z", "description": "",
        "profile_image_url": "https://abs.twimg.com/default_profile.png",
        "public_metrics": {"followers_count": 2, "following_count": 900, "tweet_count": 90_000},
    }  # fmt: skip
    ours = {"id": "1900000000000000030", "text": "bien"}
    theirs = [{"id": f"19000000000000001{n}", "author_id": "8", "text": "compre ya"} for n in range(40, 50)]
    await twitter.imported(page_of(ours, *theirs, users=[USER, spammer]))
    async with asyncio.timeout(60):
        while (low := await twitter.data("/authors/@ANA20261"))["credibility"] is None:
            await asyncio.sleep(0.05)
    high = await twitter.data("/authors/fbotero")
    assert (low["credibility"], high["credibility"]) == (0.1, 1.0)
    assert {"bio", "image", "ratio", "duplicates"} <= {r["signal"] for r in low["reasons"] if r["weight"] < 0}
    assert len((await twitter.data("/tweets"))["items"]) == 11
    kept = (await twitter.data("/tweets", min_credibility=0.6))["items"]
    assert [(t["username"], t["credibility"], t["places"]) for t in kept] == [
        ("fbotero", 1.0, ["antioquia", "medellin"])
    ]
    assert (await twitter.get("/authors/nadie")).json()["code"] == "author_not_found"


@pytest.mark.parametrize("name", ["Botero", "Roboto", "Abbott", "protesta", "Laura20261", "user1234567", "test"])
async def test_a_name_says_nothing(name: str) -> None:
    """Two authors that differ in nothing but their name have the same score for the same reasons."""
    known = {"created_at": NOW - timedelta(days=400), "followers": 150, "following": 300, "tweets": 10, "has_bio": True}
    activity = Activity(20, 10, 20)
    assert assess(Author("1", name, **known), activity, NOW) == assess(Author("1", "maria", **known), activity, NOW)


@pytest.mark.parametrize(
    ("days", "followers", "following", "tweets", "bio", "image", "place", "verified", "expected"),
    [
        (400, 1500, 500, 100, True, True, "Cali", True, 1.0),
        (60, 150, 300, 100, True, True, None, False, 0.9),
        (10, 5, 500, 5000, None, False, None, False, 0.1),
    ],
)
async def test_credibility_of_the_predecessor(
    days: int, followers: int, following: int, tweets: int, bio: bool, image: bool, place: str, verified: bool,
    expected: float,
) -> None:  # fmt: skip
    """The predecessor's three reference authors have the scores it gave them."""
    born = NOW - timedelta(days=days)
    author = Author("1", "a", born, followers, following, tweets, verified, bio, image, place)
    assert assess(author, None, NOW).score == expected


async def test_an_author_is_assessed_by_the_whole_file(start_twitter: Start, database: asyncpg.Connection) -> None:
    """Also where it was assessed while the file was being imported, and the rest says nothing new of the profile."""
    content = numbered(6000, text="compre ya").encode()
    goes_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield content[:200_000]
        await goes_on.wait()
        yield content[200_000:]

    settings = {"search_max_lag_seconds": 0, "author_poll_seconds": 0.01, "import_piece_bytes": 65_536}
    async with start_twitter(**settings) as twitter:
        sent = asyncio.ensure_future(
            twitter.service.client.post("/v1/twitter/imports", content=slowly(), headers=twitter.headers, timeout=60)
        )

        async def is_assessed() -> bool:
            return bool(await database.fetchval("SELECT count(*) = 7 FROM authors WHERE NOT needs_score"))

        await until(is_assessed)
        early = await twitter.data("/authors/user1")
        goes_on.set()
        assert (await sent).status_code == 201
        await until(is_assessed)
        late = await twitter.data("/authors/user1")
        (before,), (after,) = (
            [r["text"] for r in one["reasons"] if r["signal"] == "duplicates"] for one in (early, late)
        )
        assert before != after
        assert "of its 500 stored tweets" in after


async def test_what_is_stored_during_an_assessment_is_assessed_too(database: asyncpg.Connection, migrated: str) -> None:
    """A score is stored in any case, and the author waits on where the profile or the tweets have changed since."""
    postgres = Postgres(migrated)
    await postgres.open()
    tweets, assessments = TweetRepository(postgres), AssessmentRepository(postgres)
    revision = await database.fetchval("SELECT entity_revision FROM feed_state")

    async def store(number: int, **more: Any) -> None:
        author = Author("7", "bot", followers=number)
        tweet = NewTweet(number, "bot", "7", NOW, "t", author=author)
        await tweets.add(structs.replace(Batch.of([tweet], Matcher([]), revision), **more), "x")

    async def assessed(while_looking: Awaitable[None] | None) -> list[str]:
        waiting = await assessments.unassessed("", 10)
        if while_looking:
            await while_looking
        await assessments.save([(one, assess(one.author, one.activity, NOW)) for one in waiting])
        return [row["key"] for row in await database.fetch("SELECT key FROM authors WHERE needs_score")]

    await store(1)
    assert await assessed(store(2, authors=[], known_authors=["7"])) == ["7"]
    assert await assessed(store(1)) == ["7"]
    assert await assessed(None) == []
    await store(3, authors=[], known_authors=["7"])
    assert await assessed(None) == []
    assert await database.fetchval("SELECT score FROM authors") is not None
    await postgres.close()

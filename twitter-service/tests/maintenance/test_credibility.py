"""How far authors can be trusted, and why."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from twitter_service.maintenance.credibility import Activity, assess
from twitter_service.tweets.model import Author

from ..conftest import USER, Twitter, page_of

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

"""What is stored of a tweet: edits, retweets, metrics, authors, and how it goes again."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from twitter_service.tweets.credibility import Activity, assess
from twitter_service.tweets.model import Author

from ..conftest import Twitter, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
USER = {
    "id": "7", "username": "fbotero", "created_at": "2012-01-01T00:00:00.000Z", "description": "Hola",
    "verified": False,
    "location": "Medellín", "profile_image_url": "https://pbs.twimg.com/x.jpg",
    "public_metrics": {"followers_count": 1500, "following_count": 500, "tweet_count": 9000},
}  # fmt: skip


def page_of(
    *tweets: dict[str, Any], users: Any = (USER,), retrieved: str = "2026-01-01T00:00:00Z", **includes: Any
) -> str:
    """Return a twarc page of tweets by user 7 as one line."""
    data = [{"author_id": "7", "created_at": "2025-05-01T10:00:00.000Z", "text": "t", **tweet} for tweet in tweets]
    page = {"data": data, "includes": {"users": list(users), **includes}, "__twarc": {"retrieved_at": retrieved}}
    return json.dumps(page, ensure_ascii=False) + "\n"


async def test_an_edit_replaces_the_text_and_keeps_the_old_one(twitter: Twitter) -> None:
    """All versions of a tweet are one row: the latest is shown and scored anew, earlier ones are listed."""
    first = {"id": "1900000000000000001", "text": "sobre salud", "edit_history_tweet_ids": ["1900000000000000001"]}
    history = ["1900000000000000001", "1900000000000000002"]
    second = {"id": history[1], "text": "muy bien la paz", "edit_history_tweet_ids": history}
    await twitter.imported(page_of(first))
    await twitter.settled()
    done = await twitter.imported(page_of(second))
    assert (done["accepted"], done["duplicates"], done["refreshed"]) == (0, 1, 1)
    await twitter.settled()
    tweet = await twitter.data(f"/tweets/{history[0]}")
    assert (tweet["text"], tweet["version_id"], tweet["axes"]) == ("muy bien la paz", history[1], ["paz"])
    assert tweet["sentiment"]["label"] == "positive"
    versions = (await twitter.data(f"/tweets/{history[0]}/versions"))["items"]
    assert [(v["version_id"], v["text"]) for v in versions] == [(history[0], "sobre salud")]
    assert [t["id"] for t in (await twitter.data("/tweets", q="paz"))["items"]] == [history[0]]
    assert (await twitter.data("/tweets", q="salud"))["items"] == []
    progress = await twitter.data("/scores/progress")
    assert (progress["tweets"], progress["scored"]) == (1, 1)
    older = await twitter.imported(page_of(first))
    assert (older["duplicates"], older["refreshed"]) == (1, 0)
    assert (await twitter.data(f"/tweets/{history[0]}"))["text"] == "muy bien la paz"
    erased = await twitter.send("POST", "/erasures", {"ids": [history[1]]})
    assert erased.json()["data"]["erased"] == [history[1]]
    assert (await twitter.get(f"/tweets/{history[0]}")).status_code == 404


async def test_retweets_are_counted_under_their_original(twitter: Twitter, database: asyncpg.Connection) -> None:
    """A retweet whose original comes along is no tweet of its own; without it, it stays one and names it."""
    original = {"id": "1900000000000000010", "author_id": "9", "text": "original", "created_at": "2025-04-01T10:00:00Z"}
    reference = {"referenced_tweets": [{"type": "retweeted", "id": original["id"]}], "text": "RT @eva: orig…"}
    users = [USER, {**USER, "id": "9", "username": "eva"}]
    retweets = [{**reference, "id": f"19000000000000001{n}"} for n in range(10, 13)]
    done = await twitter.imported(page_of(*retweets, users=users, tweets=[original]))
    assert (done["accepted"], done["retweets"], done["rows"]) == (3, 3, 3)
    tweet = await twitter.data(f"/tweets/{original['id']}")
    assert (tweet["text"], tweet["username"], tweet["retweets"]) == ("original", "eva", 3)
    again = await twitter.imported(page_of(*retweets, users=users, tweets=[original]))
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert await database.fetchval("SELECT count(*) FROM tweets") == 1
    alone = {"id": "1900000000000000200", "referenced_tweets": [{"type": "retweeted", "id": "5"}], "text": "RT @x: …"}
    await twitter.imported(page_of(alone))
    assert (await twitter.data(f"/tweets/{alone['id']}"))["retweet_of"] == "5"


async def test_a_deleted_retweet_is_not_counted_again(twitter: Twitter, database: asyncpg.Connection) -> None:
    """Whether it was counted under its original or stored as a row, a file that still holds it changes nothing."""
    original = {"id": "1900000000000000060", "author_id": "7", "text": "o", "created_at": "2025-04-01T10:00:00Z"}
    reference = {"referenced_tweets": [{"type": "retweeted", "id": original["id"]}], "text": "RT @fbotero: orig…"}
    retweets = [{**reference, "id": f"19000000000000001{n}"} for n in range(60, 64)]
    await twitter.imported(page_of(retweets[3]))
    await twitter.imported(page_of(*retweets[:3], tweets=[original]))
    gone = [retweets[0]["id"], retweets[3]["id"]]
    erased = await twitter.send("POST", "/erasures", {"ids": gone})
    assert erased.json()["data"]["erased"] == gone
    assert (await twitter.data(f"/tweets/{original['id']}"))["retweets"] == 2
    again = await twitter.imported(page_of(*retweets, tweets=[original]))
    assert (again["accepted"], again["retweets"]) == (0, 0)
    assert (await twitter.data(f"/tweets/{original['id']}"))["retweets"] == 2
    assert await database.fetchval("SELECT author_id FROM retweets WHERE deleted") is None
    erased = await twitter.send("POST", "/erasures", {"ids": gone})
    assert erased.json()["data"]["unknown"] == gone


async def test_the_newer_observation_of_metrics_wins(twitter: Twitter) -> None:
    """Metrics are those seen last by X's clock, in whatever order the files come."""
    tweet = {"id": "1900000000000000020"}
    for likes, at in ((3, "2026-01-02"), (9, "2026-01-05"), (5, "2026-01-03")):
        await twitter.imported(page_of({**tweet, "public_metrics": {"like_count": likes}}, retrieved=f"{at}T00:00:00Z"))
    assert (await twitter.data(f"/tweets/{tweet['id']}"))["metrics"] == {"like_count": 9}


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


async def test_the_words_of_a_large_import_are_found_in_the_end(twitter: Twitter) -> None:
    """Full-text search shows every stored tweet once the index has caught up, and says how far behind it is."""
    await twitter.imported(numbered(3000, text="palabra{}"))
    await twitter.settled()
    assert [t["text"] for t in (await twitter.data("/tweets", q="palabra2999"))["items"]] == ["palabra2999"]

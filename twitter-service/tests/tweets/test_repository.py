"""What is stored of a tweet: edits, retweets, metrics, authors, and how it goes again."""

from __future__ import annotations

import asyncpg
import pytest

from ..conftest import USER, Twitter, page_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    feed = {change["id"]: change["retweet_of"] for change in await twitter.whole_feed()}
    assert (feed[alone["id"]], feed[original["id"]]) == ("5", None)


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


async def test_with_the_last_tweet_goes_the_profile(twitter: Twitter) -> None:
    """An author of whom all tweets are erased is unknown; one of whom a tweet is left is not."""
    other = {**USER, "id": "8", "username": "Ana"}
    ids = {"7": ["1900000000000000200", "1900000000000000201"], "8": ["1900000000000000202", "1900000000000000203"]}
    tweets = [{"id": each, "author_id": author} for author, own in ids.items() for each in own]
    await twitter.imported(page_of(*tweets, users=[USER, other]))
    assert (await twitter.get("/authors/ana")).status_code == 200
    await twitter.send("POST", "/erasures", {"ids": [*ids["8"], ids["7"][0]]})
    gone, left = await twitter.get("/authors/ana"), await twitter.get("/authors/fbotero")
    assert (gone.status_code, gone.json()["code"], left.status_code) == (404, "author_not_found", 200)


async def test_the_newer_observation_of_metrics_wins(twitter: Twitter) -> None:
    """Metrics are those seen last by X's clock, in whatever order the files come."""
    tweet = {"id": "1900000000000000020"}
    for likes, at in ((3, "2026-01-02"), (9, "2026-01-05"), (5, "2026-01-03")):
        await twitter.imported(page_of({**tweet, "public_metrics": {"like_count": likes}}, retrieved=f"{at}T00:00:00Z"))
    assert (await twitter.data(f"/tweets/{tweet['id']}"))["metrics"] == {"like_count": 9}


async def test_a_retweet_of_a_later_version_counts_for_its_original(
    twitter: Twitter, database: asyncpg.Connection
) -> None:
    """It repeats the version of that moment, and goes with the tweet under the id of any version."""
    history = ["1900000000000000070", "1900000000000000071"]
    original = {
        "id": history[1], "author_id": "7", "text": "o", "created_at": "2025-04-01T10:00:00Z",
        "edit_history_tweet_ids": history,
    }  # fmt: skip
    reference = {"referenced_tweets": [{"type": "retweeted", "id": history[1]}], "text": "RT @fbotero: o"}
    page = page_of({**reference, "id": "1900000000000000170"}, tweets=[original])
    await twitter.imported(page)
    assert (await twitter.data(f"/tweets/{history[0]}"))["retweets"] == 1
    await twitter.send("POST", "/erasures", {"ids": [history[1]]})
    assert await database.fetchval("SELECT count(*) FROM retweets") == 0


async def test_retweets_of_an_erased_tweet_do_not_come_back(twitter: Twitter, database: asyncpg.Connection) -> None:
    """A file that still holds them stores nothing of whoever retweeted, also where a retweet was erased before."""
    original = {"id": "1900000000000000080", "author_id": "7", "text": "o", "created_at": "2025-04-01T10:00:00Z"}
    reference = {"referenced_tweets": [{"type": "retweeted", "id": original["id"]}], "text": "RT @fbotero: o"}
    retweets = [{**reference, "id": f"19000000000000001{n}"} for n in (80, 81)]
    page = page_of(*retweets, tweets=[original])
    await twitter.imported(page)
    for gone in (retweets[0]["id"], original["id"]):
        await twitter.send("POST", "/erasures", {"ids": [gone]})
    again = await twitter.imported(page)
    assert (again["accepted"], again["retweets"]) == (0, 0)
    assert await database.fetchval("SELECT count(*) FROM retweets") == 0


async def test_an_edit_moves_a_tweet_to_the_place_it_names(twitter: Twitter) -> None:
    """A place in the text goes with the text; one from the profile stays where the profile does not come along."""
    history = ["1900000000000000090", "1900000000000000091", "1900000000000000092"]

    async def places(number: int, text: str, *users: dict[str, object]) -> tuple[list[str], str]:
        edited = {"id": history[number], "text": text, "edit_history_tweet_ids": history[: number + 1]}
        await twitter.imported(page_of({**edited, "username": "fbotero"}, users=users))
        found = await twitter.data(f"/tweets/{history[0]}")
        return found["places"], found["place_source"]

    assert await places(0, "marcha en Cali") == (["cali", "valle-del-cauca"], "tweet")
    assert await places(1, "marcha", USER) == (["antioquia", "medellin"], "author")
    assert await places(2, "la marcha") == (["antioquia", "medellin"], "author")

"""Data sets: what a file says is counted by itself, beside other files in the same store."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from ..conftest import Twitter, csv_of, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHARED = (1, "ana", "2022-05-01T15:00:00Z", "hola @luis, va bien")
NORTH = csv_of([SHARED, (2, "ana", "2022-05-02T15:00:00Z", "otra vez")])
SOUTH = csv_of([SHARED, (3, "luis", "2022-05-03T15:00:00Z", "aquí")])


async def two_campaigns(twitter: Twitter) -> None:
    """Import two files that share a tweet, each into its data set and with its authors."""
    for name, content in (("norte", NORTH), ("sur", SOUTH)):
        done = await twitter.imported(content, dataset=name, track_authors=True)
        assert done["dataset"] == name


async def daily(twitter: Twitter, **params: object) -> dict[tuple[str, str], tuple[int, int]]:
    """Return tweets of an entity and of all by day and entity."""
    items = (await twitter.data("/counts/daily", **params))["items"]
    return {(one["date"], one["entity"]): (one["tweets"], one["total_tweets"]) for one in items if not one["gap"]}


async def test_counts_of_a_data_set_are_those_of_its_file(twitter: Twitter) -> None:
    """Totals, days and entities asked of a data set are what its file holds, a shared tweet included."""
    await two_campaigns(twitter)
    assert (await twitter.data("/counts/total"))["tweets"] == 3
    assert (await twitter.data("/counts/total", dataset="norte"))["tweets"] == 2
    assert await daily(twitter, dataset="norte") == {
        ("2022-05-01", "ana"): (1, 1),
        ("2022-05-02", "ana"): (1, 1),
    }
    sur = await daily(twitter, dataset="sur")
    assert sur[("2022-05-01", "luis")] == sur[("2022-05-03", "luis")] == (1, 1)
    assert (await twitter.data("/counts/daily", dataset="sur"))["items"][0]["date"] == "2022-05-01"
    assert len((await twitter.data("/counts/hourly", dataset="norte", until="2022-05-01"))["items"]) == 24


async def test_candidates_of_one_data_set_do_not_stand_among_those_of_another(twitter: Twitter) -> None:
    """Authors belong to the data sets of their files; an entity without data sets belongs to all of them."""
    await two_campaigns(twitter)
    await twitter.track("Todos")

    async def entities(**params: object) -> dict[str, list[str]]:
        return {one["id"]: one["datasets"] for one in (await twitter.data("/entities", **params))["items"]}

    assert await entities() == {"ana": ["norte", "sur"], "luis": ["sur"], "todos": []}
    assert set(await entities(dataset="norte")) == {"ana", "todos"}
    await twitter.send("PATCH", "/entities/ana", {"datasets": ["sur"]})
    assert set(await entities(dataset="norte")) == {"todos"}


async def test_a_tweet_of_two_files_is_in_both_data_sets_and_the_feed_says_so(twitter: Twitter) -> None:
    """A stored tweet that comes with another data set joins it once, as a change that consumers see."""
    await twitter.imported(NORTH, dataset="norte")
    head = (await twitter.data("/scores/progress"))["feed_head"]
    await twitter.imported(NORTH, dataset="norte")
    assert [one for one in await twitter.whole_feed(head) if one["sentiment"] is None] == []
    done = await twitter.imported(SOUTH, dataset="sur")
    assert (done["accepted"], done["duplicates"]) == (1, 1)
    await twitter.settled()
    fed = {one["id"]: one["datasets"] for one in await twitter.whole_feed(head)}
    assert fed["1"] == ["norte", "sur"]
    assert fed["3"] == ["sur"]


async def test_a_data_set_larger_than_a_piece(twitter: Twitter) -> None:
    """Every tweet of a file of several batches is in its data set, and the list of data sets says how many."""
    await twitter.imported(numbered(2500), dataset="grande")
    await twitter.imported(numbered(10, start=10))
    [found] = (await twitter.data("/datasets"))["items"]
    assert (found["name"], found["tweets"], found["imports"]) == ("grande", 2500, 1)
    assert found["first_tweet_at"] == "2022-05-01T00:00:00.000Z"
    assert (await twitter.get("/datasets", limit=1)).json()["meta"]["next_cursor"] is None
    assert (await twitter.get("/datasets", limit=1, cursor="grande")).status_code == 422


async def test_lists_and_exports_of_a_data_set(twitter: Twitter) -> None:
    """Lists and files of a data set hold its tweets alone."""
    await two_campaigns(twitter)
    assert [one["id"] for one in (await twitter.data("/tweets", dataset="sur"))["items"]] == ["3", "1"]
    rows = list(csv.DictReader(io.StringIO((await twitter.get("/exports", format="csv", dataset="norte")).text)))
    assert [row["id"] for row in rows] == ["2", "1"]


async def test_an_erased_tweet_is_in_no_data_set(twitter: Twitter) -> None:
    """Of a deleted tweet not even its data set stays."""
    await twitter.imported(NORTH, dataset="norte")
    await twitter.send("POST", "/erasures", {"ids": ["1"]})
    assert (await twitter.data("/counts/total", dataset="norte"))["tweets"] == 1
    assert {one["id"]: one["datasets"] for one in await twitter.whole_feed()} == {"1": [], "2": ["norte"]}


@pytest.mark.parametrize(
    "path", ["/tweets", "/exports", "/entities", "/counts/daily", "/counts/hourly", "/counts/total"]
)
async def test_a_data_set_that_no_import_named(twitter: Twitter, path: str) -> None:
    """An unknown data set is said to be unknown; it is no empty answer."""
    await twitter.imported(NORTH, dataset="norte")
    answer = await twitter.get(path, dataset="nortee")
    assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")
    assert "nortee" in answer.json()["error"]


async def test_retweets_bring_their_originals_into_the_data_set(twitter: Twitter) -> None:
    """The original that a retweet includes is in the data set of the retweet's file."""
    original: dict[str, Any] = {"id": "10", "author_id": "7", "created_at": "2022-05-01T10:00:00.000Z", "text": "eso"}
    retweet = {**original, "id": "11", "text": "RT", "referenced_tweets": [{"type": "retweeted", "id": "10"}]}
    page = {"data": [retweet], "includes": {"tweets": [original], "users": [{"id": "7", "username": "eva"}]}}
    await twitter.imported(json.dumps(page), dataset="repite")
    assert (await twitter.data("/counts/total", dataset="repite"))["tweets"] == 1

"""Tweets that others hold: what a tweet quotes, answers or repeats is stored, and erased, under its own id."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from castor_chassis.storage.migrations import migration_files

from ..conftest import Twitter, csv_of, page_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER, OWN = "1900000000000000300", "1900000000000000301"
AT = "Thu May 01 10:00:00 +0000 2025"
SECRET = "Lo borr\u00f3 su autora"
EVA = {"id": "9", "username": "eva"}
OTHER_V1 = {"id_str": OTHER, "created_at": AT, "full_text": SECRET, "user": {"id_str": "9", "screen_name": "eva"}}
OWN_V1 = {"id_str": OWN, "created_at": AT, "full_text": "no", "user": {"id_str": "7", "screen_name": "fbotero"}}
ANSWERING = {"in_reply_to_status_id_str": OTHER, "in_reply_to_screen_name": "eva"}


def holding(kind: str, **more: Any) -> str:
    """Return a tweet that names another and, as flattened by twarc, holds it."""
    reference = {"type": kind, "id": OTHER, **more}
    return page_of({"id": OWN, "text": "no", "referenced_tweets": [reference]}, users=[EVA])


HOLDING = {
    "a quote of twarc": holding("quoted", text=SECRET, author=EVA),
    "a reply of twarc": holding("replied_to", text=SECRET, author=EVA),
    "a quote of v1.1": json.dumps({**OWN_V1, "quoted_status": OTHER_V1}),
    "a retweet of v1.1 that quotes": json.dumps(
        {**OWN_V1, "retweeted_status": {"id_str": "x", "quoted_status": OTHER_V1}}
    ),
}


@pytest.mark.parametrize("name", HOLDING)
async def test_the_json_of_a_tweet_holds_no_other(twitter: Twitter, database: asyncpg.Connection, name: str) -> None:
    """It names the other; the rest stays as it came."""
    assert (await twitter.imported(HOLDING[name]))["accepted"] == 1
    raw = await database.fetchval("SELECT raw FROM tweet_raw WHERE tweet_id = $1", int(OWN))
    assert SECRET not in json.dumps(json.loads(raw), ensure_ascii=False)
    if "twarc" in name:
        (reference,) = json.loads(raw)["referenced_tweets"]
        assert reference == {"type": reference["type"], "id": OTHER}
    else:
        assert json.loads(raw) == OWN_V1


async def test_what_a_reply_only_names_stays_as_it_came(twitter: Twitter, database: asyncpg.Connection) -> None:
    """Until that tweet is erased: the JSON of the reply, which names its author, goes with it."""
    await twitter.imported(csv_of([(int(OTHER), "eva", "2025-05-01T10:00:00Z", SECRET)]))
    await twitter.imported(json.dumps({**OWN_V1, **ANSWERING}))
    raw = "SELECT raw FROM tweet_raw WHERE tweet_id = $1"
    assert json.loads(await database.fetchval(raw, int(OWN))) == {**OWN_V1, **ANSWERING}
    assert (await twitter.send("POST", "/erasures", {"ids": [OTHER]})).json()["data"]["erased"] == [OTHER]
    assert await database.fetchval(raw, int(OWN)) is None
    assert (await twitter.data(f"/tweets/{OWN}"))["text"] == "no"


@pytest.mark.parametrize("is_known", [False, True])
async def test_with_a_tweet_go_its_retweets(twitter: Twitter, database: asyncpg.Connection, *, is_known: bool) -> None:
    """They hold its words; the feed tells of each, and nobody else's retweet goes."""
    other = holding("retweeted").replace(OWN, f"{OWN[:-1]}2").replace(OTHER, f"{OTHER[:-1]}9")
    await twitter.imported(holding("retweeted").replace('"no"', f'"RT @eva: {SECRET}"'))
    await twitter.imported(other)
    if is_known:
        await twitter.imported(csv_of([(int(OTHER), "eva", "2025-05-01T10:00:00Z", SECRET)]))
    await twitter.settled()
    erased = (await twitter.send("POST", "/erasures", {"ids": [OTHER]})).json()["data"]
    assert erased == {"erased": [OTHER], "unknown": []} if is_known else {"erased": [], "unknown": [OTHER]}
    told = {item["id"]: item["deleted"] for item in await twitter.whole_feed()}
    assert told == {OWN: True, f"{OWN[:-1]}2": False, **({OTHER: True} if is_known else {})}
    assert not await database.fetchval("SELECT count(*) FROM tweets WHERE text LIKE '%' || $1 || '%'", SECRET)
    state = await database.fetchrow("SELECT head, tweets FROM feed_state")
    assert state["tweets"] == 1
    assert state["head"] == max(item["seq"] for item in await twitter.whole_feed())


@pytest.mark.parametrize("most", [1, 2, 3, 4])
async def test_many_retweets_go_a_few_at_a_time(
    twitter: Twitter, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """However many a tweet has; erased again, there is nothing left to erase."""
    monkeypatch.setattr("twitter_service.tweets.repository.MOST_RETWEETS", most)
    for number in range(3):
        await twitter.imported(holding("retweeted").replace(OWN, f"{OWN[:-1]}{number + 4}"))
    for _ in range(2):
        erased = (await twitter.send("POST", "/erasures", {"ids": [OTHER]})).json()["data"]
        assert erased == {"erased": [], "unknown": [OTHER]}
        assert await database.fetchval("SELECT count(*) FROM tweets WHERE NOT deleted") == 0
    assert [item["deleted"] for item in await twitter.whole_feed()] == [True] * 3


async def test_no_file_brings_a_retweet_of_an_erased_tweet(twitter: Twitter, database: asyncpg.Connection) -> None:
    """It would bring the words back; what stands beside it in the file is stored."""
    await twitter.imported(csv_of([(int(OTHER), "eva", "2025-05-01T10:00:00Z", SECRET)]))
    await twitter.send("POST", "/erasures", {"ids": [OTHER]})
    beside = page_of({"id": f"{OWN[:-1]}2", "text": "otro"})
    done = await twitter.imported(holding("retweeted").replace('"no"', f'"RT @eva: {SECRET}"') + beside)
    assert (done["accepted"], done["duplicates"], done["rejected"]) == (1, 1, 0)
    stored = await database.fetch("SELECT id, text FROM tweets WHERE NOT deleted")
    assert [tuple(row) for row in stored] == [(int(f"{OWN[:-1]}2"), "otro")]


EDITED = {"id": f"{OTHER[:-1]}5", "username": "eva", "created_at": "2025-05-01T10:00:00Z", "text": SECRET}
BRINGING = {
    "another retweet": holding("retweeted").replace('"no"', f'"RT @eva: {SECRET}"'),
    "a retweet with its original": holding("retweeted", text=SECRET, author=EVA),
    "the tweet": json.dumps({**EDITED, "id": OTHER}),
    "a retweet of the later version": holding("retweeted").replace(OTHER, EDITED["id"]).replace('"no"', f'"{SECRET}"'),
    "the later version alone": json.dumps(EDITED),
    "the later version with its history": json.dumps({**EDITED, "edit_history_tweet_ids": [OTHER, EDITED["id"]]}),
}


@pytest.mark.parametrize("name", BRINGING)
@pytest.mark.parametrize("was_stored", [False, True])
async def test_no_file_brings_back_what_was_erased(
    twitter: Twitter, database: asyncpg.Connection, name: str, *, was_stored: bool
) -> None:
    """Neither a tweet that was stored when it was erased nor one that was not, under the id of any known version."""
    versions = [OTHER, EDITED["id"]]
    if was_stored:
        await twitter.imported(json.dumps({**EDITED, "edit_history_tweet_ids": versions}))
    await twitter.send("POST", "/erasures", {"ids": [OTHER] if was_stored else versions})
    done = await twitter.imported(BRINGING[name] + "\n" + json.dumps({**EDITED, "id": "5", "text": "otro"}))
    assert (done["accepted"], done["duplicates"], done["rejected"]) == (1, 1, 0)
    assert [row["text"] for row in await database.fetch("SELECT text FROM tweets WHERE NOT deleted")] == ["otro"]
    assert await database.fetchval("SELECT count(*) FROM retweets") == 0
    raws = await database.fetch("SELECT raw FROM tweet_raw")
    assert [json.loads(row["raw"])["id"] for row in raws] == ["5"]


async def test_replies_forget_the_author_of_a_tweet_that_was_never_stored(
    twitter: Twitter, database: asyncpg.Connection
) -> None:
    """With its erasure goes the handle that replies name, and their JSON, which names it as well."""
    await twitter.imported(json.dumps({**OWN_V1, **ANSWERING}))
    assert await database.fetchval("SELECT reply_to_username FROM tweets") == "eva"
    erased = (await twitter.send("POST", "/erasures", {"ids": [OTHER]})).json()["data"]
    assert erased == {"erased": [], "unknown": [OTHER]}
    assert await database.fetchval("SELECT reply_to_username FROM tweets") is None
    assert await database.fetchval("SELECT count(*) FROM tweet_raw") == 0
    told = await twitter.whole_feed()
    assert [(item["id"], item["reply_to_username"]) for item in told] == [(OWN, None)]


async def test_json_that_a_former_release_stored_holds_no_quoted_tweet(
    own_postgres_url: str,
) -> None:
    """The migration takes out what would outlive its erasure, and nothing else."""
    connection = await asyncpg.connect(own_postgres_url)
    kept = {1: json.dumps(OWN_V1), 2: '{"referenced_tweets":[{"type":"quoted","id":"1"}],"text":"no"}'}
    gone = {
        3: json.dumps({**OWN_V1, "quoted_status": OTHER_V1}),
        4: '{"referenced_tweets":[{"type":"quoted","text":"s"}],"text":"no"}',
    }
    for name, sql in migration_files("twitter_service"):
        if name.startswith("0020"):
            await connection.executemany(
                "INSERT INTO tweet_raw (tweet_id, raw) VALUES ($1, $2)", list({**kept, **gone}.items())
            )
        await connection.execute(sql)
    assert dict(await connection.fetch("SELECT tweet_id, raw FROM tweet_raw")) == kept
    await connection.close()

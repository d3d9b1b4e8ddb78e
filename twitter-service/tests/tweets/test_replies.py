"""Which conversation a tweet is part of, and whom it answers: read from each format, told by the feed, and erased."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from ..conftest import USER, Twitter, page_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT, REPLY = "1900000000000000300", "1900000000000000301"
AT = "2025-05-01T10:00:00Z"
REFERENCE = {"referenced_tweets": [{"type": "replied_to", "id": ROOT}]}
EVA = {**USER, "id": "9", "username": "eva"}
V1 = {
    "id_str": REPLY, "created_at": "Thu May 01 10:00:00 +0000 2025", "full_text": "no",
    "user": {"id_str": "7", "screen_name": "fbotero"}, "in_reply_to_status_id_str": ROOT,
    "in_reply_to_screen_name": "eva",
}  # fmt: skip


def reply(answered_author: str | None = None, **page: Any) -> str:
    """Return a page of the reply."""
    of = {"id": REPLY, "text": "no", "conversation_id": ROOT, "in_reply_to_user_id": answered_author, **REFERENCE}
    return page_of(of, **page)


def table(header: str, *values: str) -> str:
    """Return a CSV of the reply."""
    return f"id,username,created_at,text,{header}\n{REPLY},fbotero,{AT},no,{','.join(values)}\n"


async def told(twitter: Twitter) -> tuple[str | None, ...]:
    """Return what the feed tells of the reply."""
    (item,) = [item for item in await twitter.whole_feed() if item["id"] == REPLY]
    return item["conversation_id"], item["reply_to"], item["reply_to_username"]


WHOLE = (ROOT, ROOT, "eva")
FILES = {
    "a page with the answered tweet": (reply(users=[USER, EVA], tweets=[{"id": ROOT, "author_id": "9"}]), WHOLE),
    "a page with its author": (reply("9", users=[USER, EVA]), WHOLE),
    "a page that does not say who wrote it": (reply(), (ROOT, ROOT, None)),
    "an object of the API v1.1": (json.dumps(V1), (None, ROOT, "eva")),
    "a table of twarc": (
        table("conversation_id,referenced_tweets.replied_to.id,in_reply_to_username", ROOT, ROOT, "eva"), WHOLE,
    ),
    "a table of rtweet": (table("reply_to_status_id,reply_to_screen_name", f"'{ROOT}", "@eva"), (None, ROOT, "eva")),
    "a table of R without replies": (table("reply_to_status_id,reply_to_screen_name", "NA", "NA"), (None, None, None)),
    "a table that lost the ids": (table("in_reply_to_status_id,in_reply_to_username", "", "eva"), (None, None, None)),
    "a page that rounded the id": (
        page_of({"id": REPLY, "referenced_tweets": [{"type": "replied_to", "id": 1.9e18, "username": "eva"}]}),
        (None, None, None),
    ),
    "a table that rounded them": (
        table("conversation_id,in_reply_to_status_id,in_reply_to_screen_name", "1.9E18", "0", ""), (None, None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
async def test_each_format_says_whom_a_tweet_answers(twitter: Twitter, name: str) -> None:
    """X's objects of both versions and the tables of other tools; what cannot be read is left out, not refused."""
    content, expected = FILES[name]
    done = await twitter.imported(content)
    assert (done["accepted"], done["rejected"]) == (1, 0)
    assert await told(twitter) == expected
    stored = await twitter.data(f"/tweets/{REPLY}")
    assert (stored["conversation_id"], stored["reply_to"]) == expected[:2]


async def test_who_wrote_the_answered_tweet_is_looked_up_and_goes_with_the_reply(twitter: Twitter) -> None:
    """Where the source does not say so, the stored tweet does; of an erased reply nothing is left."""
    await twitter.imported(page_of({"id": ROOT, "author_id": "9", "text": "s\u00ed"}, users=[EVA]))
    await twitter.imported(reply())
    assert await told(twitter) == WHOLE
    assert (await twitter.send("POST", "/erasures", {"ids": [REPLY]})).status_code == 200
    assert await told(twitter) == (None, None, None)


@pytest.mark.parametrize(
    "name", ["NA", "None", "nan", "null", "@NULL", "[]", "https://x.com/eva", "eva botero", "id:9", "María", "e" * 16]
)
async def test_what_is_no_handle_is_no_name(twitter: Twitter, name: str) -> None:
    """Whatever a tool writes in place of a missing handle is left out; the reply stays one."""
    await twitter.imported(table("reply_to,in_reply_to_username", ROOT, name))
    assert await told(twitter) == (None, ROOT, None)


async def test_a_corrected_file_mends_whom_a_tweet_answers(twitter: Twitter) -> None:
    """A repeated row adds and corrects what it says and leaves the rest; a repetition of the same is no change."""
    other = "1900000000000000299"
    steps: list[tuple[str, tuple[str | None, ...], int]] = [
        (table("reply_to", "NA"), (None, None, None), 0),
        (table("reply_to,in_reply_to_username", other, "ana"), (None, other, "ana"), 1),
        (table("conversation_id", ROOT), (ROOT, other, "ana"), 1),
        (table("reply_to", ROOT), (ROOT, ROOT, None), 1),
        (table("reply_to,in_reply_to_username", ROOT, "eva"), WHOLE, 1),
        (table("reply_to,in_reply_to_username", ROOT, "NA"), WHOLE, 0),
    ]
    for content, expected, refreshed in steps:
        assert (await twitter.imported(content))["refreshed"] == refreshed
        assert await told(twitter) == expected
    edit = {"id": "1900000000000000302", "edit_history_tweet_ids": [REPLY, "1900000000000000302"], "text": "s\u00ed"}
    reference = {"referenced_tweets": [{"type": "replied_to", "id": other}]}
    assert (await twitter.imported(page_of({**edit, **reference})))["refreshed"] == 1
    assert await told(twitter) == (ROOT, other, None)


async def test_the_name_of_an_author_known_only_by_id_is_not_told(twitter: Twitter) -> None:
    """A stand-in for a handle is no handle."""
    await twitter.imported(page_of({"id": ROOT, "author_id": "9", "text": "s\u00ed"}, users=[]))
    await twitter.imported(reply())
    assert (await twitter.data(f"/tweets/{ROOT}"))["username"] == "id:9"
    assert await told(twitter) == (ROOT, ROOT, None)


@pytest.mark.parametrize(
    "content", [reply(), table("conversation_id,reply_to,in_reply_to_username", ROOT, ROOT, "eva")]
)
async def test_with_the_answered_tweet_its_author_goes_from_the_replies(
    twitter: Twitter, database: asyncpg.Connection, content: str
) -> None:
    """The feed tells the reply again without the name, which no later file brings back."""
    await twitter.imported(page_of({"id": ROOT, "author_id": "9", "text": "s\u00ed"}, users=[EVA]))
    await twitter.imported(content)
    await twitter.settled()
    assert await told(twitter) == WHOLE
    seen = (await twitter.whole_feed())[-1]["seq"]
    assert (await twitter.send("POST", "/erasures", {"ids": [ROOT]})).status_code == 200
    news = await twitter.whole_feed(after=seen)
    assert [(item["id"], item["deleted"], item["reply_to_username"]) for item in news] == [
        (ROOT, True, None), (REPLY, False, None),
    ]  # fmt: skip
    await twitter.imported(table("reply_to,in_reply_to_username", ROOT, "eva"))
    assert await told(twitter) == (ROOT, ROOT, None)
    assert await twitter.whole_feed(after=news[-1]["seq"]) == []
    assert await database.fetchval("SELECT head FROM feed_state") == news[-1]["seq"]


async def test_what_a_former_release_erases_leaves_no_conversation(
    twitter: Twitter, database: asyncpg.Connection
) -> None:
    """During a rollout a replica that does not know the columns erases beside this one."""
    await twitter.imported(table("conversation_id,reply_to,in_reply_to_username", ROOT, ROOT, "eva"))
    await database.execute("UPDATE tweets SET deleted = true, username = '', text = ''")
    assert await told(twitter) == (None, None, None)
    columns = "conversation_id IS NULL AND reply_to IS NULL AND reply_to_username IS NULL"
    assert await database.fetchval(f"SELECT {columns} FROM tweets WHERE id = $1", int(REPLY))


async def test_the_original_of_a_retweet_keeps_what_it_answers(twitter: Twitter) -> None:
    """The reply that a retweet repeats is stored as the reply that it is."""
    original = {"id": REPLY, "author_id": "9", "text": "no", "created_at": AT, "conversation_id": ROOT, **REFERENCE}
    retweet = {"id": "1900000000000000400", "referenced_tweets": [{"type": "retweeted", "id": REPLY}], "text": "RT"}
    await twitter.imported(page_of(retweet, users=[USER, EVA], tweets=[original]))
    assert (await told(twitter))[:2] == (ROOT, ROOT)

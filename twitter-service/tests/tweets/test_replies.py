"""Which conversation a tweet is part of, and whom it answers: read from each format, told by the feed, and erased."""

from __future__ import annotations

import json
from typing import Any

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


async def test_the_original_of_a_retweet_keeps_what_it_answers(twitter: Twitter) -> None:
    """The reply that a retweet repeats is stored as the reply that it is."""
    original = {"id": REPLY, "author_id": "9", "text": "no", "created_at": AT, "conversation_id": ROOT, **REFERENCE}
    retweet = {"id": "1900000000000000400", "referenced_tweets": [{"type": "retweeted", "id": REPLY}], "text": "RT"}
    await twitter.imported(page_of(retweet, users=[USER, EVA], tweets=[original]))
    assert (await told(twitter))[:2] == (ROOT, ROOT)

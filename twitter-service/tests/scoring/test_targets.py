"""What tweets say for or against their entities."""

from __future__ import annotations

import json

import pytest

from ..conftest import FIRST_ID, Twitter, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_counts_prefer_what_is_said_about_the_entity(twitter: Twitter) -> None:
    """Counts take the sentiment towards the entity where there is one, that of the text elsewhere, and say how many."""
    await twitter.track("Petro", "Fico")
    rows = [
        (FIRST_ID, "ana", "2022-05-01T10:00:00Z", "muy bien que estemos contra Petro"),
        (FIRST_ID + 1, "ana", "2022-05-01T11:00:00Z", "bien por Petro y contra Fico"),
        (FIRST_ID + 2, "petro", "2022-05-01T12:00:00Z", "todo bien"),
    ]
    await twitter.imported(csv_of(rows))
    await twitter.settled()
    days = {row["entity"]: row for row in (await twitter.data("/counts/daily", until="2022-05-01"))["items"]}
    names = ("tweets", "scored", "targeted", "positive", "negative")
    assert [days["petro"][name] for name in names] == [3, 3, 1, 2, 1]
    assert [days["fico"][name] for name in names] == [1, 1, 1, 0, 1]
    hours = (await twitter.data("/counts/hourly", entity="petro", until="2022-05-01"))["items"]
    assert [(row["positive"], row["negative"], row["targeted"]) for row in hours if row["tweets"]] == [
        (0, 1, 1), (1, 0, 0), (1, 0, 0),
    ]  # fmt: skip
    tweet = await twitter.data(f"/tweets/{FIRST_ID}")
    assert tweet["sentiment"]["label"] == "positive"
    against = {"entity": "petro", "label": "negative", "positive": 0.0, "neutral": 0.1, "negative": 0.9}
    assert tweet["towards"] == [{**against, "basis": "side", "model": "words@1+rules1"}]
    assert (await twitter.data("/counts/total"))["positive"] == 3


async def test_an_edit_is_judged_anew(twitter: Twitter) -> None:
    """What was said in a text that an edit replaced does not stand for the new one."""
    history = ["1900000000000000001", "1900000000000000002"]
    first = {"id": history[0], "username": "ana", "created_at": "2025-05-01T10:00:00Z", "text": "voto contra Petro"}
    second = {**first, "id": history[1], "text": "bien, voto por Petro", "edit_history_tweet_ids": history}
    await twitter.track("Petro")
    await twitter.imported(json.dumps(first))
    await twitter.settled()
    assert [one["label"] for one in (await twitter.data(f"/tweets/{history[0]}"))["towards"]] == ["negative"]
    await twitter.imported(json.dumps(second))
    await twitter.settled()
    assert (await twitter.data(f"/tweets/{history[0]}"))["towards"] == []


async def test_other_languages_are_not_asked_about(twitter: Twitter) -> None:
    """sentiment-service judges targets in Spanish; a tweet in another language keeps the sentiment of its text."""
    tweet = {"id": str(FIRST_ID), "username": "ana", "created_at": "2022-05-01T10:00:00Z", "text": "contra Petro"}
    await twitter.track("Petro")
    await twitter.imported(json.dumps({**tweet, "lang": "pt"}))
    await twitter.settled()
    assert twitter.asked_targets() == []

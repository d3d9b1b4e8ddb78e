"""The worker that fills in sentiments."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.testing import Authority, ScriptedPeer, until
from castor_chassis.testing.peer import Call, reserved_port

from ..conftest import FIRST_ID, Start, Twitter, answer_batch, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def all_scored(twitter: Twitter, seconds: float = 30) -> dict[str, Any]:
    """Wait until nothing is pending."""
    async with asyncio.timeout(seconds):
        while True:
            progress: dict[str, Any] = await twitter.data("/scores/progress")
            if not progress["pending"]:
                return progress
            await asyncio.sleep(0.05)


def batches(sentiment: ScriptedPeer) -> list[Call]:
    """Return the calls for scores; the peer is also asked which model it has."""
    return [call for call in sentiment.calls if call.path == "/v1/sentiment/batch"]


def ids_asked(sentiment: ScriptedPeer) -> list[int]:
    """Return the ids that the peer was asked for, in order."""
    return [int(item["id"]) for call in batches(sentiment) for item in json.loads(call.body)["items"]]


async def test_every_tweet_once_and_the_oldest_first(start_twitter: Start) -> None:
    """Each tweet is asked for and scored exactly once, in order of age; none is asked again later."""
    async with start_twitter(score_batches_in_flight=1, score_batch_size=100) as twitter:
        await twitter.imported(numbered(1500))
        progress = await all_scored(twitter)
        assert (progress["tweets"], progress["scored"], progress["unscorable"]) == (1500, 1500, 0)
        assert progress["oldest_pending_at"] is None
        asked = ids_asked(twitter.sentiment)
        assert asked == [FIRST_ID + n for n in range(1500)]


async def test_a_dead_peer_delays_and_loses_nothing(start_twitter: Start, tmp_path: Path, authority: Authority) -> None:
    """With sentiment-service dead the import ends well and the breaker opens; once it is back all are scored."""
    files = authority.write(tmp_path / "peer", "sentiment-service")
    peer = ScriptedPeer(routes={"/v1/sentiment/batch": answer_batch})
    async with AsyncExitStack() as stack:
        port = stack.enter_context(reserved_port())
        url = f"https://127.0.0.1:{port}"
        settings = {"sentiment_url": url, "breaker_reset_seconds": 1, "breaker_fail_max": 2}
        twitter = await stack.enter_async_context(start_twitter(**settings))
        done = await twitter.imported(numbered(900))
        assert (done["state"], done["accepted"]) == ("done", 900)
        breaker = twitter.service.app.state.chassis.peer("sentiment-service", url).breaker
        async with asyncio.timeout(30):
            while not breaker.is_open:
                await asyncio.sleep(0.02)
        waiting = await twitter.data("/scores/progress")
        assert (waiting["pending"], waiting["oldest_pending_at"]) == (900, "2022-05-01T00:00:00.000Z")
        async with peer.listening(files, port):
            assert (await all_scored(twitter))["scored"] == 900
            asked = ids_asked(peer)
            assert sorted(asked) == sorted(set(asked))
            items = await twitter.whole_feed()
            assert len(items) == 900
            assert all(item["sentiment"] for item in items)


async def test_a_lane_that_waits_keeps_no_tweets_back(start_twitter: Start) -> None:
    """What one call failed for is scored next by the other lane, not after all that is newer."""
    served: list[int] = []

    def failing_once(call: Call) -> tuple[int, Any, dict[str, str]]:
        ids = [int(item["id"]) for item in json.loads(call.body)["items"]]
        if FIRST_ID in ids and len(batches(twitter.sentiment)) <= 2:
            return 500, {"ok": False, "error": "broken"}, {}
        served.extend(ids)
        return answer_batch(call)

    async with start_twitter(score_batches_in_flight=2, score_batch_size=100) as twitter:
        twitter.sentiment.routes["/v1/sentiment/batch"] = failing_once
        await twitter.imported(numbered(1500))
        await all_scored(twitter)
    assert sorted(served) == [FIRST_ID + n for n in range(1500)]
    assert max(abs(place - (key - FIRST_ID)) for place, key in enumerate(served)) <= 100


async def test_an_open_breaker_is_not_hammered(start_twitter: Start) -> None:
    """While the peer fails, the worker waits between attempts instead of spinning."""
    async with start_twitter(breaker_fail_max=1, breaker_reset_seconds=60) as twitter:
        twitter.sentiment.routes["/v1/sentiment/batch"] = lambda _call: (500, {"ok": False, "error": "broken"}, {})
        await twitter.imported(numbered(10))

        async def was_asked() -> bool:
            return bool(batches(twitter.sentiment))

        await until(was_asked)
        await asyncio.sleep(1.5)
        assert len(batches(twitter.sentiment)) <= 2


async def test_a_text_that_is_refused_does_not_block_the_rest(start_twitter: Start) -> None:
    """A text that sentiment-service refuses is found, set aside with the reason, and all others are scored."""

    def picky(call: Call) -> tuple[int, Any, dict[str, str]]:
        if b"tweet 17 " in call.body:
            return 422, {"ok": False, "error": "I do not like 17", "code": "validation_error"}, {}
        return answer_batch(call)

    async with start_twitter() as twitter:
        twitter.sentiment.routes["/v1/sentiment/batch"] = picky
        await twitter.imported(numbered(50, text="tweet {} fin"))
        progress = await all_scored(twitter)
        assert (progress["scored"], progress["unscorable"]) == (49, 1)


async def test_language_of_the_tweet(start_twitter: Start) -> None:
    """A tweet is scored in its own language where sentiment-service knows it, else in the default one."""
    tweets = [
        {"id": str(n), "username": "a", "text": "t", "lang": lang} for n, lang in enumerate(["pt", "und", "es"], 1)
    ]
    lines = [json.dumps({**tweet, "created_at": "2022-05-01T10:00:00Z"}) for tweet in tweets]
    async with start_twitter() as twitter:
        await twitter.imported("\n".join(lines))
        await all_scored(twitter)
        asked = {
            json.loads(call.body)["lang"]: len(json.loads(call.body)["items"]) for call in batches(twitter.sentiment)
        }
        assert asked == {"pt": 1, "es": 2}


async def test_one_request_id_and_one_trace(start_twitter: Start) -> None:
    """Scoring continues the request and the trace of the import that brought the tweets."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with start_twitter() as twitter:
        twitter.headers |= {"X-Request-ID": "the-import-of-may", "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        await twitter.imported(numbered(5))
        await all_scored(twitter)
        headers = batches(twitter.sentiment)[0].headers
        assert headers["x-request-id"] == "the-import-of-may"
        assert headers["traceparent"].split("-")[1] == trace_id


async def test_two_replicas_share_the_work(start_twitter: Start) -> None:
    """With two replicas on one database only one scores at a time, so no tweet is asked for twice."""
    async with start_twitter() as first, start_twitter() as second:
        await second.imported(numbered(800))
        assert (await all_scored(second))["scored"] == 800
        asked = ids_asked(first.sentiment) + ids_asked(second.sentiment)
        assert len(asked) == len(set(asked)) == 800

"""The service on its mTLS port, following a real feed over mTLS."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trending_support import AS_OF, NOON, TOPICS, followed, tell, topics

from castor_chassis.testing import ScriptedPeer, TokenIssuer

if TYPE_CHECKING:
    from castor_devstack.stack.postgres import EmbeddedPostgres
    from conftest import Run, Stream


async def test_the_feed_becomes_topics(running: Run, stream: Stream) -> None:
    """Tweets of the feed are counted once, topics found, and the status tells how far the feed is followed."""
    tell(stream)
    async with running(feed_page_size=50) as service:
        status = await followed(service, len(stream.changes))
        assert status["tweets"] == 141
        assert 0 <= status["lag_seconds"] < 5
        assert status["newest_tweet_at"] == "2022-05-29T12:00:00Z"
        answer = await topics(service)
        (topic,) = answer["data"]["items"]
        assert (topic["topic"], topic["tweets"], topic["authors"], topic["sentiment"]) == ("#ParoNacional", 6, 6, None)
        assert answer["meta"]["as_of"] == "2022-05-29T12:00:00Z"
        assert answer["meta"]["tweets_in_window"] == 6
        assert answer["meta"]["degraded"] is None


async def test_scores_and_deletions_reach_the_topics(running: Run, stream: Stream) -> None:
    """A scored tweet counts once and colours its topic, a deleted one leaves it."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        first, second = stream.changes[-2:]
        stream.score(first, "negative")
        stream.change(**{**second, "deleted": True})
        await followed(service, len(stream.changes))
        (topic,) = (await topics(service))["data"]["items"]
        assert (topic["tweets"], topic["scored"]) == (5, 1)
        assert topic["sentiment"] == {"positive": 0, "neutral": 0, "negative": 1}


async def test_topics_are_served_while_twitter_is_away_and_the_feed_goes_on_after(
    running: Run, stream: Stream, twitter: ScriptedPeer
) -> None:
    """The feed answers 503 for a while: topics stand, and what came meanwhile is caught up with."""
    tell(stream)
    async with running(breaker_reset_seconds=0.2) as service:
        await followed(service, len(stream.changes))
        twitter.script.extend([(503, {"ok": False, "error": "away", "code": "unavailable"}, {})] * 4)
        stream.tweet(NOON, "author8", "#ParoNacional otra vereda lejana")
        assert (await topics(service))["data"]["items"][0]["tweets"] == 6
        await followed(service, len(stream.changes))
        assert (await topics(service))["data"]["items"][0]["tweets"] == 7
        assert not twitter.script


async def test_a_restarted_service_goes_on_where_it_was(running: Run, stream: Stream, twitter: ScriptedPeer) -> None:
    """The cursor is in the database: after a restart nothing is asked for or counted twice."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
    twitter.calls.clear()
    async with running() as service:
        stream.tweet(NOON, "author8", "#ParoNacional otra vereda lejana")
        assert (await followed(service, len(stream.changes)))["tweets"] == 142
    asked = [int(call.query["after"]) for call in twitter.calls if "after" in call.query]
    assert min(asked) == 141


async def test_answers_are_cached_until_a_tweet_comes(running: Run, stream: Stream, redis_url: str) -> None:
    """The same question is computed once; a new tweet outdates the answer at once."""
    tell(stream)
    async with running(redis_url=redis_url) as service:
        await followed(service, len(stream.changes))
        first, second = await topics(service), await topics(service)
        assert first["data"] == second["data"]
        metrics = (await service.client.get(f"{service.management_url}/metrics")).text
        assert 'castor_cache_operations_total{cache="trending-service",outcome="hit"} 1.0' in metrics
        assert 'castor_trending_changes_total{change="added"}' in metrics
        stream.tweet(NOON, "author8", "#ParoNacional otra vereda lejana")
        await followed(service, len(stream.changes))
        assert (await topics(service))["data"]["items"][0]["tweets"] == 7


async def test_a_dead_cache_costs_nothing_but_time(running: Run, stream: Stream) -> None:
    """With Redis away the answer is the same."""
    tell(stream)
    async with running(redis_url="redis://127.0.0.1:1/0") as service:
        await followed(service, len(stream.changes))
        assert len((await topics(service))["data"]["items"]) == 1


async def test_without_the_database_it_says_so_and_heals(
    running: Run, stream: Stream, postgres_server: EmbeddedPostgres
) -> None:
    """503 with Retry-After while PostgreSQL is away; afterwards the feed and the topics go on."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        await asyncio.to_thread(postgres_server.stop)
        answer = await service.client.get(TOPICS, params={**AS_OF, "min_tweets": 3})
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.to_thread(postgres_server.start)
        stream.tweet(NOON, "author8", "#ParoNacional otra vereda lejana")
        await followed(service, len(stream.changes))
        assert (await topics(service))["data"]["items"][0]["tweets"] == 7


async def test_a_timeline_counts_a_topic_hour_by_hour_and_day_by_day(running: Run, stream: Stream) -> None:
    """Buckets are whole, in order, end with as_of, and know all tweets of their time."""
    tell(stream)
    stream.tweet(NOON + timedelta(minutes=1), "author9", "#ParoNacional después")
    path = f"{TOPICS}/{quote('#paronacional', safe='')}/timeline"
    async with running() as service:
        await followed(service, len(stream.changes))
        hours = (await service.client.get(path, params={**AS_OF, "before": 8})).json()["data"]["buckets"]
        assert [bucket["tweets"] for bucket in hours] == [1, 0, 1, 1, 0, 1, 1, 0, 1]
        assert (hours[-1]["at"], hours[-1]["share"], hours[1]["share"]) == ("2022-05-29T12:00:00Z", 1.0, None)
        asked = {**AS_OF, "step": "day", "before": 1, "after": 1, "term": ["salud", "educación"]}
        days = (await service.client.get(path, params=asked)).json()["data"]["buckets"]
        assert [bucket["at"] for bucket in days] == [f"2022-05-{day}T05:00:00Z" for day in (28, 29, 30)]
        assert [(bucket["tweets"], bucket["total_tweets"]) for bucket in days] == [(6, 6), (6, 6), (0, 0)]


async def test_a_question_that_makes_no_sense_is_refused(running: Run) -> None:
    """422 with the code of what is wrong."""
    questions: list[tuple[str, dict[str, Any], str]] = [
        (TOPICS, {"as_of": "2022-05-29"}, "validation_error"),
        (TOPICS, {"window_hours": 0}, "validation_error"),
        (TOPICS, {"limit": 51}, "validation_error"),
        (TOPICS + "/" + 81 * "a" + "/timeline", {}, "validation_error"),
        (TOPICS + "/paro/timeline", {"step": "week"}, "validation_error"),
    ]
    async with running() as service:
        for path, params, code in questions:
            answer = await service.client.get(path, params=params)
            assert (answer.status_code, answer.json()["code"]) == (422, code), (path, params)


async def test_any_moment_and_any_topic_have_an_answer(running: Run, stream: Stream) -> None:
    """Before the first tweet ever, at the end of the calendar, and of a topic without a word: nothing is found."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        for as_of, used in (("0001-01-01T00:00:00Z", "2006"), ("9999-12-31T23:59:59Z", "2100")):
            answer = await topics(service, as_of=as_of, window_hours=720)
            assert answer["data"]["items"] == []
            assert answer["meta"]["as_of"] == f"{used}-01-01T00:00:00Z"
            params = {"as_of": as_of, "step": "day", "before": 1000, "after": 1000}
            timeline = (await service.client.get(TOPICS + "/%21%00/timeline", params=params)).json()["data"]
            assert len(timeline["buckets"]) == 2001
            assert (timeline["terms"], sum(bucket["tweets"] for bucket in timeline["buckets"])) == ([], 0)


async def test_trends_need_their_scope(running: Run, issuer: TokenIssuer) -> None:
    """401 without a token, 403 with one for something else."""
    async with running() as service:
        del service.client.headers["Authorization"]
        assert (await service.client.get(TOPICS)).status_code == 401
        other = {"Authorization": "Bearer " + issuer.user_token(["tweets:read"])}
        assert (await service.client.get(TOPICS, headers=other)).status_code == 403

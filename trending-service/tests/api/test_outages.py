"""The service without twitter-service, Redis or PostgreSQL, and after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trending_support import AS_OF, NOON, TOPICS, followed, tell, topics

from castor_chassis.testing import ScriptedPeer

if TYPE_CHECKING:
    from castor_devstack.stack.postgres import EmbeddedPostgres
    from conftest import Run, Stream


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

"""Topics of the feed, over mTLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trending_support import NOON, TOPICS, followed, tell, topics

from castor_chassis.testing import RunningService, TokenIssuer

if TYPE_CHECKING:
    from conftest import Run, Stream


async def hits(service: RunningService) -> float:
    """Return how many answers the cache has given."""
    metrics = (await service.client.get(f"{service.management_url}/metrics")).text.splitlines()
    series = 'castor_cache_operations_total{cache="trending-service",outcome="hit"} '
    return sum(float(line.removeprefix(series)) for line in metrics if line.startswith(series))


async def test_the_feed_becomes_topics(running: Run, stream: Stream) -> None:
    """Tweets of the feed are counted once, topics found, and the status tells how far the feed is followed."""
    tell(stream)
    async with running(feed_page_size=50) as service:
        status = await followed(service, len(stream.changes))
        assert status["tweets"] == 141
        assert 0 <= status["lag_seconds"] < 30
        assert status["newest_tweet_at"] == "2022-05-29T12:00:00.000Z"
        answer = await topics(service)
        (topic,) = answer["data"]["items"]
        assert (topic["topic"], topic["tweets"], topic["authors"], topic["sentiment"]) == ("#ParoNacional", 6, 6, None)
        assert answer["meta"]["as_of"] == "2022-05-29T12:00:00.000Z"
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


async def test_answers_are_cached_until_a_tweet_comes(running: Run, stream: Stream, redis_url: str) -> None:
    """The same question is computed once; a new tweet outdates the answer at once."""
    tell(stream)
    async with running(redis_url=redis_url) as service:
        await followed(service, len(stream.changes))
        first, before = await topics(service), await hits(service)
        second = await topics(service)
        assert first["data"] == second["data"]
        assert await hits(service) == before + 1
        metrics = (await service.client.get(f"{service.management_url}/metrics")).text
        assert 'castor_trending_changes_total{change="added"}' in metrics
        stream.tweet(NOON, "author8", "#ParoNacional otra vereda lejana")
        await followed(service, len(stream.changes))
        assert (await topics(service))["data"]["items"][0]["tweets"] == 7


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


async def test_trends_need_their_scope(running: Run, issuer: TokenIssuer) -> None:
    """401 without a token, 403 with one for something else."""
    async with running() as service:
        del service.client.headers["Authorization"]
        assert (await service.client.get(TOPICS)).status_code == 401
        other = {"Authorization": "Bearer " + issuer.user_token(["tweets:read"])}
        assert (await service.client.get(TOPICS, headers=other)).status_code == 403

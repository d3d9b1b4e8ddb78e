"""Timelines of topics, over mTLS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from trending_support import AS_OF, NOON, TOPICS, followed, tell, topics

if TYPE_CHECKING:
    from conftest import Run, Stream


async def test_a_timeline_counts_a_topic_hour_by_hour_and_day_by_day(running: Run, stream: Stream) -> None:
    """Buckets are whole, in order, end with as_of, and know all tweets of their time."""
    tell(stream)
    stream.tweet(NOON + timedelta(minutes=1), "author9", "#ParoNacional después")
    path = f"{TOPICS}/{quote('#paronacional', safe='')}/timeline"
    async with running() as service:
        await followed(service, len(stream.changes))
        hours = (await service.client.get(path, params={**AS_OF, "before": 8})).json()["data"]["buckets"]
        assert [bucket["tweets"] for bucket in hours] == [1, 0, 1, 1, 0, 1, 1, 0, 1]
        assert (hours[-1]["at"], hours[-1]["share"], hours[1]["share"]) == ("2022-05-29T12:00:00.000Z", 1.0, None)
        asked = {**AS_OF, "step": "day", "before": 1, "after": 1, "term": ["salud", "educación"]}
        days = (await service.client.get(path, params=asked)).json()["data"]["buckets"]
        assert [bucket["at"] for bucket in days] == [f"2022-05-{day}T05:00:00.000Z" for day in (28, 29, 30)]
        assert [(bucket["tweets"], bucket["total_tweets"]) for bucket in days] == [(6, 6), (6, 6), (0, 0)]


async def test_a_timeline_of_a_data_set_counts_its_tweets_alone(running: Run, stream: Stream) -> None:
    """Of the topic and of all; one that has no tweet in those hours is empty, one that nobody knows is named."""
    for number, dataset in enumerate(("sondeo", "sondeo", "otro")):
        stream.tweet(NOON - timedelta(minutes=number), f"author{number}", "#ParoNacional", datasets=[dataset])
    stream.tweet(NOON, "author4", "nada que ver", datasets=["sondeo"])
    path = f"{TOPICS}/{quote('#paronacional', safe='')}/timeline"
    async with running() as service:
        await followed(service, len(stream.changes))

        async def counted(**asked: str) -> list[tuple[int, int]]:
            answer = await service.client.get(path, params={**AS_OF, "before": 1, **asked})
            assert answer.status_code == 200, answer.text
            return [(bucket["tweets"], bucket["total_tweets"]) for bucket in answer.json()["data"]["buckets"]]

        assert await counted() == [(2, 2), (1, 2)]
        assert await counted(dataset="sondeo") == [(1, 1), (1, 2)]
        assert await counted(dataset="otro", as_of="2022-05-01T00:00:00Z") == [(0, 0), (0, 0)]
        unknown = await service.client.get(path, params={**AS_OF, "dataset": "nadie"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "scope_not_found")


async def test_a_topic_of_a_place_has_the_hours_of_that_place(running: Run, stream: Stream) -> None:
    """The page of a topic and its timeline count the tweets that its question was about, and no others."""
    tell(stream)
    for number in range(6):
        at = NOON - timedelta(minutes=7 * number)
        stream.tweet(at, f"author{number}", f"#ParoNacional en calle{'abcdef'[number]}", places=["cali"])
    path = f"{TOPICS}/{quote('#paronacional', safe='')}/timeline"
    async with running() as service:
        await followed(service, len(stream.changes))
        (topic,) = (await topics(service, place="cali"))["data"]["items"]
        assert topic["tweets"] == 6
        paged = (await service.client.get(f"{TOPICS}/{topic['id']}")).json()["data"]["buckets"]
        hours = (await service.client.get(path, params={**AS_OF, "place": "cali"})).json()["data"]["buckets"]
        for buckets in (paged, hours):
            assert sum(bucket["tweets"] for bucket in buckets) == 6
            assert sum(bucket["total_tweets"] for bucket in buckets) == 6


async def test_any_topic_has_an_answer_and_any_moment_with_tweets(running: Run, stream: Stream) -> None:
    """At the first and the last moment that is taken, and of a topic without a word: nothing is found.

    A moment that has not come yet is answered as of now.
    """
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        for as_of in ("2006-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z"):
            answer = await topics(service, as_of=as_of, window_hours=720)
            assert answer["data"]["items"] == []
            seen = datetime.fromisoformat(answer["meta"]["as_of"])
            assert seen == datetime.fromisoformat(as_of) or (as_of > "2099" and seen <= datetime.now(UTC))
            params = {"as_of": as_of, "step": "day", "before": 1000, "after": 1000}
            timeline = (await service.client.get(TOPICS + "/%21%00/timeline", params=params)).json()["data"]
            assert len(timeline["buckets"]) == 2001
            assert (timeline["terms"], sum(bucket["tweets"] for bucket in timeline["buckets"])) == ([], 0)


async def test_the_ends_of_the_calendar_are_refused(running: Run) -> None:
    """422 with a sentence on every route that takes a moment, never 500."""
    async with running() as service:
        for path in (TOPICS, TOPICS + "/paro/timeline", "/v1/trending/best", "/v1/trending/coordination"):
            for as_of in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2005-12-31T23:59:59Z"):
                answer = await service.client.get(path, params={"as_of": as_of})
                assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), (path, as_of)
                assert "2006" in answer.json()["error"]

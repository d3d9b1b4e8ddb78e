"""Timelines of topics, over mTLS."""

from __future__ import annotations

from datetime import timedelta
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
        assert (hours[-1]["at"], hours[-1]["share"], hours[1]["share"]) == ("2022-05-29T12:00:00Z", 1.0, None)
        asked = {**AS_OF, "step": "day", "before": 1, "after": 1, "term": ["salud", "educación"]}
        days = (await service.client.get(path, params=asked)).json()["data"]["buckets"]
        assert [bucket["at"] for bucket in days] == [f"2022-05-{day}T05:00:00Z" for day in (28, 29, 30)]
        assert [(bucket["tweets"], bucket["total_tweets"]) for bucket in days] == [(6, 6), (6, 6), (0, 0)]


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

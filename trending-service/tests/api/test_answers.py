"""What a topic says beyond its numbers, its page, the best topic, suspected coordination; replay to the byte."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trending_support import AS_OF, NOON, TOPICS, followed, tell, topics

from castor_chassis import Cache

if TYPE_CHECKING:
    import pytest

    from conftest import Run, Stream


def _push(stream: Stream) -> None:
    """Eight accounts that three times post a tag within seconds, and one that is not of them."""
    for number in range(3):
        for place in range(8):
            at = NOON - timedelta(minutes=20 * number + 10) + timedelta(seconds=place)
            stream.tweet(at, f"eco{place}", f"#Pagado esquina{number}{'abcdefgh'[place]} muy temprano")
    stream.tweet(NOON - timedelta(minutes=3), "curioso", "¿qué es #Pagado que sale tanto?")


async def test_a_topic_has_a_page_that_stays(running: Run, stream: Stream) -> None:
    """Its id leads to it and to its hours, also after later tweets; what is no id is 404."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        (topic,) = (await topics(service))["data"]["items"]
        first = (await service.client.get(f"{TOPICS}/{topic['id']}")).json()["data"]
        assert first["topic"] == topic
        assert (len(first["buckets"]), sum(bucket["tweets"] for bucket in first["buckets"])) == (48, 6)
        stream.tweet(NOON + timedelta(hours=1), "author8", "#ParoNacional otra vez")
        await followed(service, len(stream.changes))
        assert (await service.client.get(f"{TOPICS}/{topic['id']}")).json()["data"] == first
        for other in ("nada", topic["id"][:-4], "e30"):
            assert (await service.client.get(f"{TOPICS}/{other}")).status_code == 404


async def test_the_best_topic_is_the_one_that_is_liked(running: Run, stream: Stream) -> None:
    """Engagement x (positive + 0.5 neutral); null where nothing is a topic."""
    tell(stream)
    for change in stream.changes[-6:-2]:
        stream.score(change, "positive")
    async with running() as service:
        await followed(service, len(stream.changes))
        asked = {**AS_OF, "window": "24h", "min_tweets": 3}
        best = (await service.client.get("/v1/trending/best", params=asked)).json()["data"]
        assert (best["topic"]["topic"], best["pick"]) == ("#ParoNacional", 6.0)
        quiet = {**asked, "as_of": "2022-05-20T12:00:00Z"}
        assert (await service.client.get("/v1/trending/best", params=quiet)).json()["data"] is None


async def test_a_quiet_answer_says_what_was_looked_at(running: Run, stream: Stream) -> None:
    """No items, a sentence, and the numbers beside it."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        answer = await topics(service, as_of="2022-05-27T12:00:00Z")
        assert answer["data"]["items"] == []
        assert answer["meta"]["quiet"].startswith("No topic stands out among")
        assert answer["meta"]["needed_score"] > 0


async def test_suspected_coordination_is_told_with_its_evidence(running: Run, stream: Stream) -> None:
    """Members, what they shared, when; who only wrote about it is no member; what they push is no topic."""
    tell(stream)
    _push(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        (group,) = (await service.client.get("/v1/trending/coordination", params=AS_OF)).json()["data"]["items"]
        assert {member["username"] for member in group["members"]} == {f"eco{place}" for place in range(8)}
        assert group["shared"] == [{"what": "#Pagado".lower(), "tweets": 24, "share": 0.96}]
        assert [round_["members"] for round_ in group["time_line"]] == [8, 8, 8]
        assert group["why"].startswith("Suspected coordination: 8 accounts")
        assert "bot" not in str(group).lower()
        names = [topic["topic"] for topic in (await topics(service))["data"]["items"]]
        assert names == ["#ParoNacional"]


async def test_a_trend_says_what_it_would_be_without_a_group(running: Run, stream: Stream) -> None:
    """Accounts, share, and the numbers of the others."""
    tell(stream)
    _push(stream)
    for number in range(12):
        stream.tweet(NOON - timedelta(minutes=4 * number), f"vecina{number}", f"de verdad #Pagado barrio{number}")
    async with running() as service:
        await followed(service, len(stream.changes))
        found = (await topics(service))["data"]["items"]
        pushed = next(topic for topic in found if topic["topic"] == "#Pagado")["coordination"]
        assert (pushed["accounts"], pushed["tweets"], pushed["tweets_without"]) == (8, 24, 13)
        assert pushed["share"] == round(24 / 37, 4)
        assert pushed["score_without"] > 0


async def test_the_same_question_has_the_same_bytes_after_a_restart(running: Run, stream: Stream) -> None:
    """A killed service that read the rest of the feed answers as one that was never disturbed."""
    tell(stream)
    _push(stream)
    asked = {**AS_OF, "min_tweets": 3}
    async with running() as service:
        await followed(service, len(stream.changes))
        first = (await service.client.get(TOPICS, params=asked)).content
        pushed = (await service.client.get("/v1/trending/coordination", params=AS_OF)).content
    stream.tweet(NOON + timedelta(minutes=5), "author8", "#ParoNacional otra vereda")
    async with running(roll_up_seconds=0.01) as service:
        await followed(service, len(stream.changes))
        assert (await service.client.get(TOPICS, params=asked)).content == first
        assert (await service.client.get("/v1/trending/coordination", params=AS_OF)).content == pushed


async def test_a_cached_answer_that_cannot_be_read_is_a_miss(
    running: Run, stream: Stream, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another version left under the key, or damage, costs time and is no error."""
    tell(stream)

    async def damaged(_: Cache, keys: list[str]) -> list[bytes]:
        return [b'{"items": 7'] * len(keys)

    async with running(redis_url=redis_url) as service:
        await followed(service, len(stream.changes))
        first = await topics(service)
        monkeypatch.setattr(Cache, "get_many", damaged)
        assert await topics(service) == first


async def test_a_data_set_and_an_axis_are_asked_alone(running: Run, stream: Stream) -> None:
    """Only its tweets count, in the window and before it."""
    tell(stream)
    async with running() as service:
        for number in range(6):
            at = NOON - timedelta(minutes=80 * number)
            stream.tweet(at, f"author{number}", f"#Otro en calle{'abcdef'[number]}", datasets=["b"], axes=["salud"])
        await followed(service, len(stream.changes))
        both = {topic["topic"] for topic in (await topics(service))["data"]["items"]}
        assert both == {"#ParoNacional", "#Otro"}
        alone = await topics(service, dataset="b", axis="salud")
        assert alone["meta"]["tweets_in_window"] == 6
        assert alone["meta"]["tweets_in_baseline"] == 0

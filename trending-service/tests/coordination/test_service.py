"""Which tweets are looked at for coordination, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis import Postgres
from trending_service.coordination import service
from trending_service.signals import repository
from trending_service.signals.model import Window
from trending_service.topics.finder import Finder

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)


def _echo(stream: Stream, **more: Any) -> None:
    for number in range(3):
        for place in range(8):
            at = NOON - timedelta(minutes=20 * number + 10) + timedelta(seconds=place)
            text = f"RT @diario: #Pagado esquina{number} de la plaza temprano"
            stream.tweet(at, f"eco{place}", text, **more)


def _post_originals(stream: Stream) -> None:
    for number in range(3):
        stream.tweet(NOON - timedelta(hours=2), "diario", f"#Pagado esquina{number} de la plaza temprano")


async def test_what_a_text_calls_a_retweet_is_looked_at(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Anybody can begin a text with 'RT @': accounts that repeat what nobody wrote are a group."""
    _echo(stream)
    await fill(stream.changes)
    (group,) = await finder.coordination.groups(NOON, timedelta(days=1))
    assert set(group.members) == {f"eco{place}" for place in range(8)}


async def test_retweets_are_none_of_an_accounts_own(finder: Finder, fill: Fill, stream: Stream) -> None:
    """Where X says so, or where the account that is named wrote the text, many who repeat it at once are no group."""
    _post_originals(stream)
    _echo(stream)
    await fill(stream.changes)
    assert await finder.coordination.groups(NOON, timedelta(days=1)) == []
    other = len(stream.changes)
    for change in stream.changes[:other]:
        stream.change(**{**change, "deleted": change["username"] == "diario", "retweet_of": "5"})
    await fill(stream.changes[other:])
    assert await finder.coordination.groups(NOON, timedelta(days=1)) == []


async def test_an_original_is_found_wherever_it_lies(
    finder: Finder, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names no place, and is older than the tweets that are looked at: those who repeat it are still no group."""
    _post_originals(stream)
    _echo(stream, places=["bogota"])
    await fill(stream.changes)
    day = timedelta(days=1)
    assert await finder.coordination.groups(NOON, day, ["place:bogota"]) == []
    monkeypatch.setattr(repository, "MOST_SHARED", 24)
    assert await finder.coordination.groups(NOON, day) == []
    assert (await finder.coordination.reports(NOON, day, ["place:bogota"])).groups == []


async def test_where_nobody_said_what_is_a_retweet_the_text_is_believed(
    finder: Finder, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """What was stored before an upgrade accuses nobody and is the voice that it names, until the feed says more."""
    _echo(stream)
    await fill(stream.changes)
    await postgres.execute("UPDATE tweets SET is_retweet = NULL")
    assert await finder.coordination.groups(NOON, timedelta(days=1)) == []
    seen = await finder.signals.window(Window(NOON, NOON - timedelta(days=1), NOON))
    assert {tweet.hand for tweet in seen.tweets} == {"diario"}
    for change in list(stream.changes):
        stream.score(change, "negative")
    await fill(stream.changes)
    assert len(await finder.coordination.groups(NOON, timedelta(days=1))) == 1


async def test_of_too_many_tweets_the_newest_are_looked_at(
    finder: Finder, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says since when; where all were looked at, that is the beginning of the period."""
    for minute in range(12):
        stream.tweet(NOON - timedelta(minutes=minute), f"a{minute}", f"#paro vereda{minute}")
    await fill(stream.changes)
    day = timedelta(days=1)
    assert (await finder.coordination.reports(NOON, day)).looked_since == NOON - day
    for module in (repository, service):
        monkeypatch.setattr(module, "MOST_SHARED", 10)
    assert (await finder.coordination.reports(NOON, day)).looked_since == NOON - timedelta(minutes=9)


async def test_questions_of_one_moment_look_for_groups_once_until_a_tweet_is_stored(
    finder: Finder, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of watches asks with each of its places; another moment, other tweets and a page are looked at."""
    _echo(stream)
    await fill(stream.changes)
    looked: list[tuple[Any, ...]] = []
    shared = type(finder.signals).shared

    async def counted(self: Any, *asked: Any) -> Any:
        looked.append(asked)
        return await shared(self, *asked)

    monkeypatch.setattr(type(finder.signals), "shared", counted)
    day, coordination = timedelta(days=1), finder.coordination
    first = await coordination.groups(NOON, day)
    assert [await coordination.groups(NOON, day) for _ in range(3)] == [first] * 3
    assert len(looked) == 1
    await coordination.groups(NOON, day, ["place:bogota"])
    await coordination.groups(NOON - timedelta(seconds=1), day)
    assert len(looked) == 3
    await fill([stream.tweet(NOON - timedelta(minutes=1), "eva", "algo nuevo")])
    await coordination.groups(NOON - timedelta(seconds=1), day)
    assert len(looked) == 4

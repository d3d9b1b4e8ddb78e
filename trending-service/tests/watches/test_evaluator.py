"""What watches are told of, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from castor_chassis import DatabaseUnavailable, Postgres, ServiceError
from castor_chassis.wire.errors import DatabaseSlow
from trending_service.coordination.model import Group, Round
from trending_service.coordination.report import report
from trending_service.signals.model import Tally
from trending_service.signals.repository import SignalRepository
from trending_service.topics.finder import Finder
from trending_service.topics.model import Question, TopicList
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.service import Tracker
from trending_service.watches.conditions import doubled, fell, suspected
from trending_service.watches.evaluator import Evaluator
from trending_service.watches.model import EventFilter, NewWatch, Watch
from trending_service.watches.repository import WatchRepository

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)
RISE, VOLUME = "#ParoNacional barrio{letter}", "agua barrio{number}"
WATCH = Watch("x", "volume_doubles", None, None, None, 1.0, None, None, None, None, "w", "o", 1, None, NOON)


@pytest.fixture
def evaluator(postgres: Postgres, signals: SignalRepository, finder: Finder) -> Evaluator:
    """Looks when it is told to."""
    tracker = Tracker(finder, TrendRepository(postgres))
    return Evaluator(tracker, WatchRepository(postgres), signals, finder.coordination, finder.method.zone, 60)


async def _watch(evaluator: Evaluator, kind: str, number: int = 1, **more: object) -> Watch:
    named = {"topic": None, "place": None, "entity": None, "threshold": 0.0, "url": None} | more
    hours = {"quiet_from": None, "quiet_until": None, "digest_minutes": None}
    new = NewWatch(**{"name": "x", "kind": kind, **named, **hours})  # type: ignore[arg-type]
    made = await evaluator.watches.add(f"w_{number:024x}", "user:ana", new, most=100)
    assert made is not None
    return made


async def _kinds(evaluator: Evaluator, watch: Watch) -> list[str]:
    return [event.kind for event in await evaluator.watches.events(watch.id, EventFilter(0))]


def _usual(stream: Stream) -> None:
    for hour in range(1, 29 * 24, 3):
        at = NOON - timedelta(hours=hour)
        stream.tweet(at, f"a{hour % 30}", f"agua luz vereda{hour} calle{hour}", places=["cali"])


def _fourteen_say(stream: Stream, text: str, **more: Any) -> None:
    """One text, with its own number and letter, of each of 14 accounts in the last 40 minutes."""
    for number, letter in enumerate("abcdefghijklmn"):
        at = NOON - timedelta(minutes=3 * number + 1)
        stream.tweet(at, f"v{number}", text.format(number=number, letter=letter), **more)


async def test_each_happening_is_told_once_to_each_watch(evaluator: Evaluator, fill: Fill, stream: Stream) -> None:
    """A trend that starts, a volume that rises, a group: once, although it is looked again and again."""
    _usual(stream)
    for number in range(3):
        for place in range(8):
            at = NOON - timedelta(minutes=15 * number + 8, seconds=place)
            stream.tweet(at, f"eco{place}", f"#Pagado esquina{number}{'abcdefgh'[place]} temprano", places=["cali"])
    _fourteen_say(stream, RISE, places=["cali"])
    await fill(stream.changes)
    trend = await _watch(evaluator, "trend_starts", 1)
    named = await _watch(evaluator, "trend_starts", 2, topic="paronacional", place="cali")
    other = await _watch(evaluator, "trend_starts", 3, topic="lluvia")
    volume = await _watch(evaluator, "volume_doubles", 4, threshold=2.0)
    group = await _watch(evaluator, "coordination_suspected", 5, threshold=3)
    assert await evaluator.look(NOON) >= 4
    for minute in (1, 2, 3):
        assert await evaluator.look(NOON + timedelta(minutes=minute)) == 0
    assert await _kinds(evaluator, trend) == ["trend.started"]
    assert await _kinds(evaluator, named) == ["trend.started"]
    assert await _kinds(evaluator, other) == []
    assert await _kinds(evaluator, volume) == ["volume.rose"]
    assert await _kinds(evaluator, group) == ["coordination.suspected"]


async def test_a_start_that_was_stored_before_a_kill_is_still_told(
    evaluator: Evaluator, fill: Fill, stream: Stream
) -> None:
    """Killed between storing a trend and telling its watches, the next look tells them: each once."""
    _usual(stream)
    _fourteen_say(stream, RISE)
    await fill(stream.changes)
    watches = [await _watch(evaluator, "trend_starts", number) for number in (1, 2, 3)]
    await evaluator.tracker.follow("", NOON)
    assert await evaluator.look(NOON + timedelta(minutes=1)) == 3
    assert await evaluator.look(NOON + timedelta(minutes=2)) == 0
    for watch in watches:
        assert await _kinds(evaluator, watch) == ["trend.started"]


async def test_what_is_kept_of_a_trend_names_no_tweet_and_no_account(
    evaluator: Evaluator, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """Tweets are erased while trends and events are kept for a year."""
    _usual(stream)
    _fourteen_say(stream, RISE)
    await fill(stream.changes)
    await _watch(evaluator, "trend_starts")
    assert await evaluator.look(NOON) == 1
    rows = await postgres.fetch(
        "SELECT topic::text AS kept FROM trends UNION ALL SELECT body::text FROM trend_events "
        "UNION ALL SELECT body::text FROM watch_events"
    )
    assert len(rows) >= 3
    for row in rows:
        assert "#ParoNacional" in row["kept"]
        assert not any(change["id"] in row["kept"] for change in stream.changes)
        assert not any(f'"{change["username"]}"' in row["kept"] for change in stream.changes)


async def test_a_kind_of_another_version_is_told_nothing_and_holds_nothing_up(
    evaluator: Evaluator, fill: Fill, stream: Stream
) -> None:
    """A watch whose kind this version does not know is left to the one that does; others are told."""
    _usual(stream)
    _fourteen_say(stream, VOLUME)
    await fill(stream.changes)
    unknown = await _watch(evaluator, "a_kind_of_tomorrow", 1, threshold=2.0)
    volume = await _watch(evaluator, "volume_doubles", 2, threshold=2.0)
    assert await evaluator.look(NOON) == 1
    assert await _kinds(evaluator, unknown) == []
    assert await _kinds(evaluator, volume) == ["volume.rose"]


async def test_many_watches_of_one_scope_are_counted_for_once(
    evaluator: Evaluator, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred watches read as many counts as two, and each is told."""
    _usual(stream)
    _fourteen_say(stream, VOLUME)
    await fill(stream.changes)
    for number in range(50):
        await _watch(evaluator, "volume_doubles", number, threshold=2.0)
        await _watch(evaluator, "sentiment_falls", 50 + number, threshold=0.2)
    asked: list[tuple[object, ...]] = []
    tally = SignalRepository.tally

    async def counting(signals: SignalRepository, *span: datetime, **_: object) -> Tally:
        asked.append(span)
        return await tally(signals, *span)  # type: ignore[arg-type]

    monkeypatch.setattr(SignalRepository, "tally", counting)
    assert await evaluator.look(NOON) == 50
    assert len(asked) == 7


async def test_a_scope_that_asks_too_much_holds_up_no_other(
    evaluator: Evaluator, fill: Fill, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trends and numbers are left out, once for all its watches; a database that is away ends the round."""
    _usual(stream)
    _fourteen_say(stream, VOLUME, places=["cali"])
    await fill(stream.changes)
    for number, kind in enumerate(("trend_starts", "volume_doubles", "volume_doubles")):
        await _watch(evaluator, kind, number, threshold=2.0, place="cali")
    told = await _watch(evaluator, "volume_doubles", 9, threshold=2.0)
    raised: list[ServiceError] = []
    tally, find = SignalRepository.tally, Finder.find

    def fail_for(scopes: Sequence[str], error: ServiceError) -> None:
        if scopes:
            raised.append(error)
            raise error

    def failing(error: ServiceError) -> None:
        async def slow_tally(signals: SignalRepository, *asked: Any) -> Tally:
            fail_for(asked[-1], error)
            return await tally(signals, *asked)

        async def slow_find(finder: Finder, question: Question) -> TopicList:
            fail_for(question.scopes, error)
            return await find(finder, question)

        monkeypatch.setattr(SignalRepository, "tally", slow_tally)
        monkeypatch.setattr(Finder, "find", slow_find)

    failing(DatabaseSlow())
    assert await evaluator.look(NOON) >= 1
    assert await _kinds(evaluator, told) == ["volume.rose"]
    assert len(raised) == 2
    failing(DatabaseUnavailable())
    with pytest.raises(DatabaseUnavailable):
        await evaluator.look(NOON + timedelta(minutes=1))


async def test_a_busy_stream_is_followed_over_its_newest_tweets(
    evaluator: Evaluator, fill: Fill, stream: Stream
) -> None:
    """Six hours with more tweets than one answer may read: trends still start, and end once they are gone."""
    _usual(stream)
    _fourteen_say(stream, RISE)
    await fill(stream.changes)
    finder = evaluator.tracker.finder
    small = replace(finder, method=replace(finder.method, max_window_tweets=12))
    busy = replace(evaluator, tracker=replace(evaluator.tracker, finder=small))
    await busy.look(NOON)
    (trend,) = await busy.tracker.trends.going_on("")
    assert trend.name == "#ParoNacional"
    later = NOON + timedelta(hours=3)
    for number in range(14):
        stream.tweet(later - timedelta(minutes=number), f"v{number}", f"agua luz vereda{number} calle{number}")
    await fill(stream.changes)
    await busy.look(later)
    assert [trend.name for trend in await busy.tracker.trends.going_on("") if trend.name == "#ParoNacional"] == []


async def test_many_scopes_are_looked_at_in_turn(evaluator: Evaluator) -> None:
    """A round has a bounded number of them, and each has its turn; those nobody watches any more are forgotten."""
    watches = [replace(WATCH, place=f"p{number:03}") for number in range(150)]
    rounds = [evaluator._turn(watches, NOON + timedelta(minutes=minute)) for minute in range(6)]
    assert {len(turn) for turn in rounds} == {61}
    assert set.union(*rounds[:3]) == set.union(*rounds[3:]) == {"", *(watch.scope for watch in watches)}
    assert evaluator._turn([], NOON) == {""}
    assert evaluator.looked == {}


async def test_trends_of_a_scope_that_nobody_watches_any_more_end(
    evaluator: Evaluator, fill: Fill, stream: Stream
) -> None:
    """When its last watch is deleted, its trends end an hour after they were last seen."""
    _usual(stream)
    _fourteen_say(stream, RISE, places=["cali"])
    await fill(stream.changes)
    watch = await _watch(evaluator, "trend_starts", place="cali")
    await evaluator.look(NOON)
    trends = evaluator.tracker.trends
    assert len(await trends.going_on("place:cali")) == 1
    assert await evaluator.watches.remove(watch.id, watch.owner)
    await evaluator.look(NOON + timedelta(minutes=59))
    assert len(await trends.going_on("place:cali")) == 1
    await evaluator.look(NOON + timedelta(minutes=60))
    assert await trends.going_on("place:cali") == []


async def test_a_volume_is_compared_with_what_is_known(evaluator: Evaluator, fill: Fill, stream: Stream) -> None:
    """Before anything was stored nothing is unusual; weeks without a tweet do not make the others smaller."""
    for number in range(20):
        stream.tweet(NOON - timedelta(minutes=2 * number + 1), f"v{number}", f"agua barrio{number}")
    await fill(stream.changes)
    watch = await _watch(evaluator, "volume_doubles", threshold=2.0)
    await evaluator.look(NOON)
    assert await _kinds(evaluator, watch) == []
    for number in range(10):
        at = NOON - timedelta(weeks=1, minutes=3 * number + 1)
        stream.tweet(at, f"v{number}", f"luz calle{'abcdefghij'[number]} esquina parque")
    await fill(stream.changes)
    await evaluator.look(NOON)
    (event,) = await evaluator.watches.events(watch.id, EventFilter(0))
    assert (event.body["usual_an_hour"], event.body["ratio"]) == (10.0, 2.0)


async def test_copies_of_one_text_count_once_for_its_feelings(
    signals: SignalRepository, fill: Fill, stream: Stream
) -> None:
    """Seventy copies of a negative text are one negative tweet, scored once any copy is."""
    for number in range(70):
        at = NOON - timedelta(minutes=1, seconds=number)
        change = stream.tweet(at, f"v{number}", "qué mal va todo en esta ciudad")
        if number < 69:
            stream.score(change, "negative")
    await fill(stream.changes)
    assert await signals.tally(NOON - timedelta(hours=1), NOON, ()) == Tally(1, 1, 1)


async def test_what_stays_so_is_told_once_in_six_hours(evaluator: Evaluator, postgres: Postgres) -> None:
    """At any hour of the day: not once before noon and once after."""
    watch = await _watch(evaluator, "volume_doubles", threshold=2.0)
    for seconds in (-30, 30, 3600):
        (happening,) = doubled(watch, NOON + timedelta(seconds=seconds), Tally(20, 0, 0), 5.0)
        await evaluator.watches.tell(watch, happening, NOON)
    assert await _kinds(evaluator, watch) == ["volume.rose"]
    await postgres.execute("UPDATE watch_events SET at = at - interval '6 hours'")
    (happening,) = doubled(watch, NOON + timedelta(hours=6), Tally(20, 0, 0), 5.0)
    assert await evaluator.watches.tell(watch, happening, NOON) is not None


def test_each_network_is_told_of_once_a_local_day() -> None:
    """Two groups that share different texts are two, although both share 'the same text'; days are local."""
    late = datetime(2022, 5, 30, 2, tzinfo=UTC)
    groups = []
    for text, at in (("text:1", NOON), ("text:2", NOON), ("text:1", late)):
        rounds = (Round(at.timestamp(), 3, text),)
        group = Group(dict.fromkeys("abc", 3), 3, 0.1, -9.0, (text,), rounds, frozenset())
        groups.append(report(group, {text: {1: "a"}}))
    told = suspected(replace(WATCH, threshold=3), groups, ZoneInfo("America/Bogota"))
    days = [("text:1", 29), ("text:2", 29), ("text:1", 29)]
    assert [happening.key for happening in told] == [f"coordination:{text}:2022-05-{day}" for text, day in days]


def test_sentiment_falls_only_beyond_chance() -> None:
    """A rise of the threshold on enough scored tweets, and more than three standard errors."""
    watch = replace(WATCH, threshold=0.2)
    assert fell(watch, NOON, Tally(100, 100, 70), Tally(400, 400, 120))
    assert not fell(watch, NOON, Tally(100, 100, 45), Tally(400, 400, 120))
    assert not fell(watch, NOON, Tally(22, 22, 12), Tally(25, 25, 8))
    assert not fell(watch, NOON, Tally(15, 15, 15), Tally(400, 400, 0))


def test_a_volume_doubles_against_the_same_hour() -> None:
    """Twice the usual and at least ten tweets."""
    watch = replace(WATCH, threshold=2.0)
    assert doubled(watch, NOON, Tally(20, 0, 0), 10.0)
    assert not doubled(watch, NOON, Tally(19, 0, 0), 10.0)
    assert not doubled(watch, NOON, Tally(9, 0, 0), 1.0)

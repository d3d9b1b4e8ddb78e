"""What watches are told of, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from castor_chassis import Postgres
from trending_service.signals.model import Tally
from trending_service.signals.repository import SignalRepository
from trending_service.topics.finder import Finder
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.service import Tracker
from trending_service.watches.conditions import doubled, fell
from trending_service.watches.evaluator import Evaluator
from trending_service.watches.model import EventFilter, NewWatch, Watch
from trending_service.watches.repository import WatchRepository

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)


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
    for hour in range(1, 28 * 24, 3):
        at = NOON - timedelta(hours=hour)
        stream.tweet(at, f"a{hour % 30}", f"agua luz vereda{hour} calle{hour}", places=["cali"])


async def test_each_happening_is_told_once_to_each_watch(evaluator: Evaluator, fill: Fill, stream: Stream) -> None:
    """A trend that starts, a volume that rises, a group: once, although it is looked again and again."""
    _usual(stream)
    for number in range(3):
        for place in range(8):
            at = NOON - timedelta(minutes=15 * number + 8, seconds=place)
            stream.tweet(at, f"eco{place}", f"#Pagado esquina{number}{'abcdefgh'[place]} temprano", places=["cali"])
    for number in range(14):
        at = NOON - timedelta(minutes=3 * number + 1)
        stream.tweet(at, f"v{number}", f"#ParoNacional barrio{'abcdefghijklmn'[number]}", places=["cali"])
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
    for number in range(14):
        at = NOON - timedelta(minutes=3 * number + 1)
        stream.tweet(at, f"v{number}", f"#ParoNacional barrio{'abcdefghijklmn'[number]}")
    await fill(stream.changes)
    watches = [await _watch(evaluator, "trend_starts", number) for number in (1, 2, 3)]
    await evaluator.tracker.follow("", NOON)
    assert await evaluator.look(NOON + timedelta(minutes=1)) == 3
    assert await evaluator.look(NOON + timedelta(minutes=2)) == 0
    for watch in watches:
        assert await _kinds(evaluator, watch) == ["trend.started"]


async def test_a_kind_of_another_version_is_told_nothing_and_holds_nothing_up(
    evaluator: Evaluator, fill: Fill, stream: Stream
) -> None:
    """A watch whose kind this version does not know is left to the one that does; others are told."""
    for number in range(14):
        stream.tweet(NOON - timedelta(minutes=3 * number + 1), f"v{number}", f"agua barrio{number}")
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
    for number in range(14):
        stream.tweet(NOON - timedelta(minutes=3 * number + 1), f"v{number}", f"agua barrio{number}")
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


def test_sentiment_falls_only_beyond_chance() -> None:
    """A rise of the threshold on enough scored tweets, and more than three standard errors."""
    watch = Watch("x", "sentiment_falls", None, None, None, 0.2, None, None, None, None, "w", "o", 1, None, NOON)
    assert fell(watch, NOON, Tally(100, 100, 70), Tally(400, 400, 120))
    assert not fell(watch, NOON, Tally(100, 100, 45), Tally(400, 400, 120))
    assert not fell(watch, NOON, Tally(22, 22, 12), Tally(25, 25, 8))
    assert not fell(watch, NOON, Tally(15, 15, 15), Tally(400, 400, 0))


def test_a_volume_doubles_against_the_same_hour() -> None:
    """Twice the usual and at least ten tweets."""
    watch = Watch("x", "volume_doubles", None, None, None, 2.0, None, None, None, None, "w", "o", 1, None, NOON)
    assert doubled(watch, NOON, Tally(20, 0, 0), 10.0)
    assert not doubled(watch, NOON, Tally(19, 0, 0), 10.0)
    assert not doubled(watch, NOON, Tally(9, 0, 0), 1.0)

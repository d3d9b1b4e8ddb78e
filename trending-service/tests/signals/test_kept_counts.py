"""Counts that a replica remembers: always those that one that remembers nothing reads."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from castor_chassis import Postgres
from trending_service.signals import kept_counts
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.kept_counts import KeptCounts
from trending_service.signals.model import Window

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)
DAYS = [NOON.replace(hour=0) - timedelta(days=number) for number in range(6)]
DIGESTS = {day: f"d{day.day}" for day in DAYS}
WORDS = ["paro", "agua", "luz", "maíz", "año"]
Counts = tuple[list[int], dict[str, dict[int, int]]]


async def _counts(hours: HoursRepository, terms: list[str], until: datetime = NOON, days: int = 9) -> Counts:
    found = (await hours.baseline(Window(until - timedelta(days=days), until, until), terms)).unpack()
    used = {term: (np.asarray(at).tolist(), np.asarray(tweets).tolist()) for term, (at, tweets) in found.terms.items()}
    return found.stream.tolist(), {term: dict(sorted(zip(*pairs, strict=True))) for term, pairs in used.items()}


def _ten_days(stream: Stream, chance: random.Random) -> None:
    for number in range(240):
        words = chance.sample(WORDS, 2)
        stream.tweet(NOON - timedelta(hours=number, minutes=1), f"a{number % 7}", f"{words[0]} {words[1]} otra{number}")


def test_what_is_missing_is_read_once() -> None:
    """Of a second question only the terms that the first did not ask for, and none where nothing was counted."""
    kept = KeptCounts()
    plan = kept.plan(["paro", "agua"], DIGESTS)
    assert (plan.missing, plan.found, plan.changed, plan.without) == (["paro", "agua"], {}, [], [])
    kept.remember(plan, {"paro": b"12345678", "agua": b""})
    plan = kept.plan(["agua", "luz", "paro"], DIGESTS)
    assert (plan.missing, plan.found, plan.changed) == (["luz"], {"paro": b"12345678", "agua": b""}, [])
    assert KeptCounts().plan(["paro"], {}).missing == []


def test_a_day_that_changed_is_read_again_and_what_was_remembered_of_it_is_false() -> None:
    """So is one that is new, and of one without a counted hour nothing is true; with too many all is forgotten."""
    kept = KeptCounts()
    kept.remember(kept.plan(["paro"], DIGESTS), {"paro": b"12345678"})
    tomorrow = DAYS[0] + timedelta(days=1)
    now = {**DIGESTS, DAYS[2]: "other", tomorrow: "new"}
    del now[DAYS[4]]
    for _ in range(2):
        plan = kept.plan(["paro"], now)
        assert (plan.missing, plan.changed) == ([], [DAYS[2], tomorrow])
        assert sorted(plan.without) == [DAYS[4], DAYS[2], tomorrow]
    plan = kept.plan(["paro"], dict.fromkeys(DAYS[:4], "other"))
    assert (plan.missing, plan.found, plan.changed, plan.without) == (["paro"], {}, [], [])


def test_what_is_read_while_all_is_forgotten_is_not_remembered() -> None:
    """A slow question does not bring back counts of days that are not the ones that are remembered now."""
    kept = KeptCounts()
    slow = kept.plan(["paro"], DIGESTS)
    kept.plan(["agua"], dict.fromkeys(DAYS, "other"))
    kept.remember(slow, {"paro": b"12345678"})
    assert kept.plan(["paro"], dict.fromkeys(DAYS, "other")).missing == ["paro"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that were not asked for longest go first, also those without any count."""
    monkeypatch.setattr(kept_counts, "MOST_BYTES", 1000)
    kept = KeptCounts()
    for number in range(20):
        kept.remember(kept.plan([f"t{number}"], DIGESTS), {f"t{number}": bytes(8 * (number % 2))})
        kept.plan(["t0"], DIGESTS)
    assert kept.plan([f"t{number}" for number in range(20)], DIGESTS).found.keys() == {"t0", "t17", "t18", "t19"}


async def test_the_second_question_reads_no_kept_count_but_those_of_days_that_changed(
    fill: Fill, stream: Stream, hours: HoursRepository, postgres: Postgres
) -> None:
    """What the table says of other days does not matter to a replica that remembers them."""
    _ten_days(stream, random.Random(1))
    await fill(stream.changes)
    await hours.roll_up(limit=100, quiet_seconds=0)
    before = await _counts(hours, WORDS)
    late = stream.tweet(NOON - timedelta(days=4), "tarde", "llega tarde el paro")
    await fill([late])
    await hours.roll_up(quiet_seconds=0)
    await postgres.execute("DELETE FROM term_days WHERE day <> $1", late_day := DAYS[4])
    after = await _counts(hours, WORDS)
    assert sum(after[0]) == sum(before[0]) + 1
    changed = {hour for hour, tweets in after[1]["paro"].items() if before[1]["paro"].get(hour) != tweets}
    assert changed == {int((NOON - timedelta(days=4)).timestamp()) // 3600}
    assert {hour // 24 for hour in (await _counts(HoursRepository(postgres), WORDS))[1]["paro"]} == {
        int(late_day.timestamp()) // 86400
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_replica_that_remembers_says_what_one_that_does_not_says(
    fill: Fill, stream: Stream, hours: HoursRepository, postgres: Postgres, seed: int
) -> None:
    """Whatever comes late, goes or is counted by another replica, and whatever window is asked about."""
    chance = random.Random(seed)
    _ten_days(stream, chance)
    await fill(stream.changes)
    other = HoursRepository(postgres)
    for number in range(40):
        match chance.randrange(4):
            case 0:
                at = NOON - timedelta(hours=chance.randrange(240), minutes=2)
                await fill([stream.tweet(at, "tarde", f"{chance.choice(WORDS)} tarde{number}")])
            case 1:
                gone = chance.choice(stream.changes)
                await fill([stream.change(**{**gone, "deleted": True})])
            case _:
                await chance.choice([hours, other]).roll_up(limit=chance.randrange(1, 9), quiet_seconds=0)
        terms = chance.sample(WORDS, chance.randrange(1, 6))
        until, days = NOON - timedelta(hours=chance.choice([0, 0, 5, 40, 100])), chance.choice([9, 9, 5])
        assert await _counts(hours, terms, until, days) == await _counts(HoursRepository(postgres), terms, until, days)

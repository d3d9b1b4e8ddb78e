"""When events are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from trending_service.watches.delivery import MOST_ATTEMPTS
from trending_service.watches.schedule import LONGEST_PAUSE_SECONDS, due_at, pause_seconds

BOGOTA = ZoneInfo("America/Bogota")


class _Most:
    """A chance that always gives the most."""

    def uniform(self, _least: float, most: float) -> float:
        return most


@pytest.mark.parametrize(
    ("local", "quiet", "due"),
    [
        ("23:30", (22, 7), "07:00"),
        ("06:59", (22, 7), "07:00"),
        ("07:00", (22, 7), "07:00"),
        ("21:59", (22, 7), "21:59"),
        ("13:10", (13, 15), "15:00"),
        ("13:10", (None, None), "13:10"),
        ("13:10", (5, 5), "13:10"),
    ],
)
def test_nothing_is_told_in_the_quiet_hours(local: str, quiet: tuple[int | None, int | None], due: str) -> None:
    """An event of the quiet hours waits for their end, also across midnight."""
    hour, minute = map(int, local.split(":"))
    now = datetime(2022, 5, 29, hour, minute, tzinfo=BOGOTA)
    found = due_at(now, BOGOTA, quiet_from=quiet[0], quiet_until=quiet[1], digest_minutes=None)
    assert f"{found.astimezone(BOGOTA):%H:%M}" == due
    assert timedelta(0) <= found - now < timedelta(hours=24)


def test_a_digest_is_told_at_its_end() -> None:
    """All events of the same hour are due together."""
    nine = datetime(2022, 5, 29, 9, tzinfo=UTC)
    due = {
        due_at(nine + timedelta(minutes=m), BOGOTA, quiet_from=None, quiet_until=None, digest_minutes=60)
        for m in (0, 1, 59)
    }
    assert due == {datetime(2022, 5, 29, 10, tzinfo=UTC)}


def test_an_event_is_tried_for_six_to_eleven_hours() -> None:
    """All pauses between the attempts together, at least and at most, as the handbook says."""
    longest = sum(pause_seconds(attempts, cast(Random, _Most())) for attempts in range(MOST_ATTEMPTS - 1))
    assert 11 * 3600 < longest < 12 * 3600


def test_pauses_grow_and_are_bounded() -> None:
    """Each pause is about twice the one before, with jitter, up to six hours."""
    chance = Random(1)
    pauses = [pause_seconds(attempts, chance) for attempts in range(40)]
    assert 2.5 <= pauses[0] <= 5
    assert pauses[3] > pauses[0]
    assert max(pauses) <= LONGEST_PAUSE_SECONDS

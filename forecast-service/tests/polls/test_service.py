"""Averages of all candidates, one after another."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from forecast_service.polls.model import CandidateAverage, Poll
from forecast_service.polls.service import PollService

NAMES = ("Ana", "Luz", "Eva")
POLLS = [
    Poll("Invamer", date(2026, 5, day), date(2026, 5, day), 900, tuple(zip(NAMES, (20.0, 40.0, 30.0), strict=True)))
    for day in (1, 5, 9)
]
AS_OF = datetime(2026, 5, 20, tzinfo=UTC)


class Turns:
    """Processes that take note of each turn; the caller leaves in the turn ``last``."""

    def __init__(self, last: int = 99) -> None:
        self.last = last
        self.taken = list[str]()

    async def run(self, function: Any, name: str, *rest: Any) -> CandidateAverage:
        """Run the function here."""
        self.taken.append(name)
        if len(self.taken) == self.last:
            raise TimeoutError
        made: CandidateAverage = function(name, *rest)
        return made


async def test_candidates_take_turns_in_the_processes() -> None:
    """Each is computed by itself, so others are served between two; the answer has the largest first."""
    turns = Turns()
    found = await PollService(turns).average(POLLS, AS_OF, 0.8)  # type: ignore[arg-type]
    assert sorted(turns.taken) == sorted(NAMES)
    assert [one.candidate for one in found.candidates] == ["Luz", "Eva", "Ana"]


async def test_nothing_is_computed_for_a_caller_who_left() -> None:
    """The candidates behind the turn in which the time was over are not begun."""
    turns = Turns(last=2)
    with pytest.raises(TimeoutError):
        await PollService(turns).average(POLLS, AS_OF, 0.8)  # type: ignore[arg-type]
    assert len(turns.taken) == 2

"""The average of posted polls. It knows nothing of the index of the conversation: the two are never mixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from forecast_service.errors import TooFewPolls, UnusablePolls
from forecast_service.indexes.calendar import last_whole_day, moment_of
from forecast_service.polls.average import FEWEST_POLLS, average
from forecast_service.polls.checks import MOST_DAYS, usable
from forecast_service.polls.model import Note, Poll, PollAverage
from forecast_service.processes import Processes

_FEW_POLLS = 8
"""Below so many the priors of the model say more about its band than the polls do."""


@dataclass(frozen=True, slots=True)
class PollService:
    """Averages polls in ``processes``."""

    processes: Processes

    async def average(self, polls: Sequence[Poll], as_of: datetime | None, level: float) -> PollAverage:
        """Return the average of each candidate as of a moment (now by default), from polls that had ended by then.

        It is drawn up to the last whole day before ``as_of``, at most 60 days after the last poll. Raises
        ``UnusablePolls``, ``TooFewPolls`` or ``Unavailable``.
        """
        moment = moment_of(as_of)
        today = last_whole_day(moment)
        every = usable(polls)
        known = [poll for poll in every if poll.until <= today]
        asked = Counter(name for poll in known for name, _ in poll.shares)
        names = [name for name, count in asked.items() if count >= FEWEST_POLLS]
        if not names:
            raise TooFewPolls(most=max(asked.values(), default=0), until=str(today), needed=FEWEST_POLLS)
        last = max(poll.until for poll in known)
        _check_span(known, last)
        until = last if (today - last).days > _DRAWN_AFTER_DAYS else today
        # One after another: other callers have their turn between two, and nothing is computed for one who has left.
        candidates = [await self.processes.run(average, name, known, until, level) for name in names]
        too_few = sorted(name for name, count in asked.items() if count < FEWEST_POLLS)
        return PollAverage(
            as_of or moment,
            level,
            known,
            len(every) - len(known),
            last,
            (today - last).days,
            sorted(candidates, key=lambda one: (-one.days[-1].share, one.candidate)),
            too_few,
            _notes(len(known), (today - last).days),
        )


_DRAWN_AFTER_DAYS = 60
_STALE_DAYS = 14


def _check_span(polls: Sequence[Poll], last: date) -> None:
    first = min(poll.since for poll in polls)
    if (last - first).days > MOST_DAYS:
        raise UnusablePolls(reason=f"the polls span more than {MOST_DAYS} days, from {first} to {last}")


def _notes(polls: int, age_days: int) -> list[Note]:
    few: list[Note] = ["few_polls"] if polls < _FEW_POLLS else []
    stale: list[Note] = ["stale"] if age_days > _STALE_DAYS else []
    return [*few, *stale, "polls_share_errors", "conversation_is_not_votes"]

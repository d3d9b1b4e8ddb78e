"""What polls must be to be averaged, whatever file or request they came in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from math import isfinite

from castor_chassis import fold
from forecast_service.errors import UnusablePolls
from forecast_service.indexes.calendar import FIRST_TWEET
from forecast_service.polls.model import Poll
from forecast_service.polls.table import MOST_CANDIDATES

SMALLEST_SAMPLE, LARGEST_SAMPLE = 50, 10_000_000
MOST_DAYS, MOST_POLLSTERS = 1000, 40
_MOST_PERCENT = 101.0
"""Published shares are rounded, so they may add up to a little more than 100."""
_SPACES = re.compile(r"\s+")


def usable(polls: Sequence[Poll]) -> list[Poll]:
    """Return the polls once each, in the order of time, names of pollsters as the last poll spells them.

    Raises ``UnusablePolls`` with the first thing that is wrong.
    """
    for poll in polls:
        _check(poll)
    if not any(share > 1 for poll in polls for _, share in poll.shares):
        raise UnusablePolls(reason="no share is above 1; give them in percent, 40.3 for 40.3 %")
    names = {name for poll in polls for name, _ in poll.shares}
    if len(names) > MOST_CANDIDATES:
        raise UnusablePolls(reason=f"there are {len(names)} candidates, and at most {MOST_CANDIDATES} are averaged")
    spelling = {_key(poll.pollster): poll.pollster for poll in sorted(polls, key=_place)}
    named = [
        Poll(spelling[_key(one.pollster)], one.since, one.until, one.sample_size, tuple(sorted(one.shares)))
        for one in polls
    ]
    pollsters = {one.pollster for one in named}
    if len(pollsters) > MOST_POLLSTERS:
        raise UnusablePolls(reason=f"there are {len(pollsters)} pollsters, and at most {MOST_POLLSTERS} have an effect")
    return sorted(dict.fromkeys(named), key=_place)


def _place(poll: Poll) -> tuple[object, ...]:
    """Return what orders polls, whatever order they came in: everything about them, their last day first."""
    return poll.until, poll.pollster, poll.since, poll.sample_size, tuple(sorted(poll.shares))


def _check(poll: Poll) -> None:
    who = f"the poll of {poll.pollster[:60]} of {poll.until}"
    if not poll.pollster.strip():
        raise UnusablePolls(reason=f"a poll of {poll.until} names no pollster")
    if not SMALLEST_SAMPLE <= poll.sample_size <= LARGEST_SAMPLE:
        raise UnusablePolls(
            reason=f"{who} has a sample of {poll.sample_size}; from {SMALLEST_SAMPLE} to {LARGEST_SAMPLE} are taken"
        )
    if not poll.since <= poll.until:
        raise UnusablePolls(reason=f"{who} begins on {poll.since}, after its end")
    if poll.since < FIRST_TWEET.date() or poll.until >= date(9999, 1, 1):
        raise UnusablePolls(reason=f"{who} lies outside the years 2006 to 9998")
    _check_shares(poll, who)


def _check_shares(poll: Poll, who: str) -> None:
    for name, share in poll.shares:
        if not isfinite(share) or not 0 <= share <= 100:
            raise UnusablePolls(reason=f"{who} gives '{name[:60]}' {share} percent; shares lie from 0 to 100")
    total = sum(share for _, share in poll.shares)
    if total > _MOST_PERCENT:
        raise UnusablePolls(reason=f"the shares of {who} add up to {total:.1f} percent")


def _key(name: str) -> str:
    return _SPACES.sub(" ", fold(name, keep_enye=False)).strip()

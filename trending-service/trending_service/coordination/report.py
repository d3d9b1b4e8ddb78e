"""What is said of a suspected group: members, evidence, time line, in careful words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from trending_service.coordination.meetings import TOGETHER_SECONDS
from trending_service.coordination.model import Group

MOST_ROUNDS = 100
MOST_TWEETS = 50


@dataclass(frozen=True, slots=True)
class Member:
    """An account of a group; ``meetings`` are the moments at which it posted with another member."""

    username: str
    meetings: int


@dataclass(frozen=True, slots=True)
class Occasion:
    """A moment at which several members posted the same thing within seconds."""

    at: datetime
    members: int
    what: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What the members posted together; ``share`` is their part of all its tweets, retweets left out."""

    what: str
    tweets: int
    share: float


@dataclass(frozen=True, slots=True)
class GroupReport:
    """A suspected group as it is answered; ``key`` is that of its clearest object."""

    key: str
    members: list[Member]
    pairs: int
    expected_pairs: float
    log10_chance: float
    first_at: datetime
    last_at: datetime
    shared: list[Shared]
    time_line: list[Occasion]
    tweets: int
    tweet_ids: list[str]
    why: str


def report(group: Group, uses: Mapping[str, Mapping[int, str]]) -> GroupReport:
    """Return what is said of ``group``; ``uses`` maps each object to the authors of its tweets by tweet id."""
    rounds = [Occasion(_moment(one.at), one.members, name_of(one.what)) for one in group.rounds]
    members = sorted(group.members.items(), key=lambda item: (-item[1], item[0]))
    return GroupReport(
        key=group.objects[0],
        members=[Member(*member) for member in members],
        pairs=group.pairs,
        expected_pairs=round(group.expected_pairs, 4),
        log10_chance=round(group.log10_p, 1),
        first_at=rounds[0].at,
        last_at=rounds[-1].at,
        shared=[_shared(name, uses[name], group) for name in group.objects],
        time_line=rounds[:MOST_ROUNDS],
        tweets=len(group.post_ids),
        tweet_ids=[str(number) for number in sorted(group.post_ids)[:MOST_TWEETS]],
        why=why(group, rounds),
    )


def why(group: Group, rounds: list[Occasion]) -> str:
    """Return one sentence with the evidence."""
    times = len({one.at for one in rounds})
    return (
        f"Suspected coordination: {len(group.members)} accounts posted the same thing within "
        f"{TOGETHER_SECONDS:.0f} s of each other at {times} moments; {group.pairs} pairs of them did so again and "
        f"again, where {group.expected_pairs:.2g} would by chance at the same activity"
    )


def name_of(what: str) -> str:
    """Return an object as it is shown: a hashtag, a link, or 'the same text'."""
    return "the same text" if what.startswith("text:") else what.removeprefix("link:")


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _shared(name: str, authors: Mapping[int, str], group: Group) -> Shared:
    mine = sum(author in group.members for author in authors.values())
    return Shared(name_of(name), mine, round(mine / len(authors), 4))

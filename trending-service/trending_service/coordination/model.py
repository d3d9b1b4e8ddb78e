"""Records of suspected coordination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Post:
    """What a tweet shares with others: ``objects`` are its text, hashtags and links as keys; ``at`` in seconds."""

    id: int
    at: float
    author: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A moment at which at least two members posted the same thing within seconds."""

    at: float
    members: int
    what: str


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts suspected of coordination.

    ``members`` map to the number of moments at which each posted with another; ``pairs`` that came together too often,
    where ``expected_pairs`` would by chance; ``rounds`` in order of time.
    """

    members: dict[str, int]
    pairs: int
    expected_pairs: float
    log10_p: float
    objects: tuple[str, ...]
    rounds: tuple[Round, ...]
    post_ids: frozenset[int]


def group_numbers(groups: Sequence[Group]) -> dict[str, int]:
    """Return the number of its group for each member."""
    return {member: number for number, group in enumerate(groups) for member in group.members}

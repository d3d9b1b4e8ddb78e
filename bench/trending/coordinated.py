"""Suspected groups of a stream in memory, compared with those that were injected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.trending.generator import DAY, Made
from bench.trending.memory import MemoryStream
from trending_service.coordination.detector import find_groups
from trending_service.coordination.model import Group, Post, group_numbers


@dataclass
class Judged:
    """Groups of all days: injected, found, wrong; members found and wrong."""

    injected: int
    found: int = 0
    wrong: int = 0
    members: int = 0
    wrong_members: int = 0

    def __str__(self) -> str:
        told = self.members + self.wrong_members
        precision = f"{self.members / told:.3f}" if told else "-"
        return (
            f"{self.found}/{self.injected} groups found, {self.wrong} that are none; precision of members {precision}"
        )


def groups_at(stream: MemoryStream, at: float, seconds: int = DAY) -> list[Group]:
    """Return the groups of the ``seconds`` before a moment, as the service would find them."""
    first, last = np.searchsorted(stream.times, [at - seconds, at], side="right")
    return find_groups(_post(stream, number) for number in range(first, last) if stream.is_own(number))


@lru_cache(maxsize=1_000_000)
def _post(stream: MemoryStream, number: int) -> Post:
    kept = (key for key in stream.keys_of(number) if key.startswith(("#", "link:")))
    objects = (f"text:{stream.hashes[number]}", *sorted(kept))
    return Post(number, float(stream.times[number]), stream.tweets[number].author, objects)


def suspects(stream: MemoryStream, at: float) -> dict[int, int]:
    """Return for each suspected account a number below zero that its group shares."""
    numbers = group_numbers(groups_at(stream, at))
    return {stream.author_numbers[name]: -1 - group for name, group in numbers.items() if name in stream.author_numbers}


def judge(made: Made, stream: MemoryStream) -> Judged:
    """Ask once a day and compare with the truth; a group is right when most of its members belong to one injected."""
    injected = [event for event in made.events if event.kind == "group"]
    judged = Judged(len(injected))
    right: set[int] = set()
    at = made.first_question + DAY
    while at <= made.tweets[-1].at + DAY:
        for group in groups_at(stream, at):
            best = max(
                ((len(event.accounts & group.members.keys()), n) for n, event in enumerate(injected)), default=(0, 0)
            )
            if best[0] * 2 > len(group.members):
                right.add(best[1])
                judged.members += best[0]
                judged.wrong_members += len(group.members) - best[0]
            else:
                judged.wrong += 1
                judged.wrong_members += len(group.members)
        at += DAY
    judged.found = len(right)
    return judged

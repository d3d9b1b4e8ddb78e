"""Finds groups of accounts that post the same text, link or hashtag within seconds, again and again.

Two accounts come together when both post the same object within ``TOGETHER_SECONDS``. Once is chance: while many write
about something, any two may meet. The null model keeps how often each account posted each object in each half hour and
lets the moments inside the half hour fall at random; how often a pair would meet is then Poisson. For each of several
numbers of meetings, the pairs to which so many would hardly happen are counted, and how many such pairs chance would
make among all of them; where there are far more, they are suspicious. Suspicious pairs are joined to groups; who is
linked to fewer than two others of a group is left out (the 2-core). The idea of a threshold from activity follows
CooRnet (Giglietto et al. 2020) and the coordination network toolkit (Graham et al. 2020).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from trending_service.coordination.meetings import (
    AGAIN,
    RARE,
    SEPARATE_SECONDS,
    TOGETHER_SECONDS,
    Pair,
    by_half_hour,
    chances_of,
    chances_of_meeting,
    expected_pairs,
    repeated_meetings,
    uses_of,
)
from trending_service.coordination.model import Group, Post, Round

MEETINGS = (AGAIN, 3, 4, 6)
"""Numbers of meetings that are looked at."""
LEAST_MEMBERS = 3
LEAST_USES = LEAST_MEMBERS * MEETINGS[0]
"""What is posted less often cannot show a group."""
LOG10_CHANCE = -5.0
"""log10 of the chance of so many suspicious pairs of an object that is accepted."""


@dataclass(frozen=True, slots=True)
class _Object:
    """The suspicious pairs of one object, with their meetings; how many there would be by chance."""

    pairs: dict[Pair, list[float]]
    expected: float
    log10_p: float


def find_groups(posts: Iterable[Post]) -> list[Group]:
    """Return the suspected groups, largest first; the same for any order of ``posts``."""
    ordered = sorted(posts, key=lambda post: (post.at, post.id))
    counts = Counter(chain.from_iterable(post.objects for post in ordered))
    uses: dict[str, list[Post]] = {name: [] for name in sorted(counts) if counts[name] >= LEAST_USES}
    for post in ordered:
        for name in post.objects:
            if name in uses:
                uses[name].append(post)
    found = {name: made for name, used in uses.items() if (made := _object(used)) is not None}
    groups = [_group(members, found, uses) for members in _components(_links(found))]
    return sorted(groups, key=lambda group: (-len(group.members), group.log10_p, min(group.members)))


def _object(posts: Sequence[Post]) -> _Object | None:
    uses = uses_of(posts)
    met = repeated_meetings(uses)
    if len(met) < LEAST_MEMBERS:
        return None
    names, halves = by_half_hour(uses)
    levels = [made for least in MEETINGS if (made := _suspicious(names, halves, met, least)) is not None]
    if not levels:
        return None
    pairs = {pair: met[pair] for made in levels for pair in sorted(made.pairs)}
    return _Object(pairs, levels[0].expected, min(made.log10_p for made in levels))


def _suspicious(
    names: Sequence[str], halves: NDArray[np.float32], met: Mapping[Pair, list[float]], least: int
) -> _Object | None:
    often = {pair: seen for pair, seen in met.items() if len(seen) >= least}
    if len(often) < LEAST_MEMBERS:
        return None
    # Who posted less often cannot have met so often.
    kept = np.flatnonzero(halves.sum(axis=1) >= least).tolist()
    rows = {names[place]: row for row, place in enumerate(kept)}
    posts, chances = halves[kept], chances_of_meeting(least)
    places = np.array([(rows[one], rows[other]) for one, other in often])
    rare = (chances_of(posts, places, chances) <= RARE).tolist()
    pairs = {pair: seen for (pair, seen), is_rare in zip(often.items(), rare, strict=True) if is_rare}
    if not pairs:
        return None
    expected = expected_pairs(posts, chances)
    log10_p = log10_poisson_tail(len(pairs), expected)
    return _Object(pairs, expected, log10_p) if log10_p <= LOG10_CHANCE else None


def log10_poisson_tail(count: int, mean: float) -> float:
    """Return log10 P(X >= count) of a Poisson distribution, bounded by its first term where it is tiny."""
    if count <= 0:
        return 0.0
    if mean <= 0:
        return -300.0
    first = -mean + count * math.log(mean) - math.lgamma(count + 1)
    ratio = mean / (count + 1)
    if ratio < 1:
        return min(0.0, (first - math.log1p(-ratio)) / math.log(10))
    below = sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count))
    return math.log10(max(1 - below, 1e-16))


def _links(objects: Mapping[str, _Object]) -> dict[str, set[str]]:
    links: dict[str, set[str]] = defaultdict(set)
    for made in objects.values():
        for one, other in made.pairs:
            links[one].add(other)
            links[other].add(one)
    while lonely := [member for member, others in links.items() if len(others) < LEAST_MEMBERS - 1]:
        for member in lonely:
            for other in links.pop(member):
                links.get(other, set()).discard(member)
    return dict(links)


def _components(links: Mapping[str, set[str]]) -> list[list[str]]:
    left, found = set(links), []
    while left:
        waiting, members = [min(left)], set()
        while waiting:
            member = waiting.pop()
            if member not in members:
                members.add(member)
                waiting.extend(links[member])
        left -= members
        found.append(sorted(members))
    return found


def _group(members: Sequence[str], objects: Mapping[str, _Object], uses: Mapping[str, Sequence[Post]]) -> Group:
    inside = set(members)
    mine = {
        name: pairs for name, made in objects.items()
        if (pairs := [pair for pair in made.pairs if inside.issuperset(pair)])
    }  # fmt: skip
    meetings: dict[str, set[float]] = defaultdict(set)
    for name, pairs in mine.items():
        for pair in pairs:
            for member in pair:
                meetings[member].update(at // SEPARATE_SECONDS for at in objects[name].pairs[pair])
    strongest = min(mine, key=lambda name: (objects[name].log10_p, name))
    return Group(
        members={member: len(meetings[member]) for member in members},
        pairs=len({pair for pairs in mine.values() for pair in pairs}),
        expected_pairs=sum(objects[name].expected for name in mine),
        log10_p=objects[strongest].log10_p,
        objects=tuple(sorted(mine, key=lambda name: (objects[name].log10_p, name))),
        rounds=tuple(_rounds(inside, mine, uses)),
        post_ids=frozenset(post.id for name in mine for post in uses[name] if post.author in inside),
    )


def _rounds(inside: set[str], names: Iterable[str], uses: Mapping[str, Sequence[Post]]) -> list[Round]:
    rounds = []
    for name in names:
        together: list[Post] = []
        for post in [*(post for post in uses[name] if post.author in inside), None]:
            if together and (post is None or post.at - together[-1].at > TOGETHER_SECONDS):
                authors = len({one.author for one in together})
                if authors >= 2:
                    rounds.append(Round(together[0].at, authors, name))
                together = []
            if post is not None:
                together.append(post)
    return sorted(rounds, key=lambda one: (one.at, one.what))

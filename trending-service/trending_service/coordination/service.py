"""Suspected coordination in a period, from the stored tweets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np

from trending_service.coordination.detector import LEAST_USES, find_groups
from trending_service.coordination.model import Group, Post
from trending_service.coordination.report import GroupReport, report
from trending_service.signals.model import SharedPosts, moment_of
from trending_service.signals.repository import MOST_SHARED, SignalRepository

InThread = Callable[..., Awaitable[Any]]
Texts = Set[tuple[str, int]]
"""Accounts, and the hash of a text of each."""


@dataclass(frozen=True, slots=True)
class Reports:
    """The suspected groups of a period, largest first, and since when was looked: where it holds too much, later."""

    groups: list[GroupReport]
    looked_since: datetime


@dataclass(frozen=True, slots=True)
class CoordinationService:
    """Finds groups of accounts; CPU work runs in threads."""

    signals: SignalRepository
    in_thread: InThread

    async def groups(self, as_of: datetime, period: timedelta, scopes: Sequence[str] = ()) -> list[Group]:
        """Return the suspected groups of the ``period`` up to ``as_of``, largest first."""
        found: list[Group] = await self.in_thread(_groups, *await self._looked_at(as_of, period, scopes))
        return found

    async def reports(self, as_of: datetime, period: timedelta, scopes: Sequence[str] = ()) -> Reports:
        """Return what is said of the suspected groups of the ``period`` up to ``as_of``."""
        shared, own = await self._looked_at(as_of, period, scopes)
        found: list[GroupReport] = await self.in_thread(_reports, shared, own)
        return Reports(found, moment_of(int(shared.moments[-1])) if len(shared) == MOST_SHARED else as_of - period)

    async def _looked_at(self, as_of: datetime, period: timedelta, scopes: Sequence[str]) -> tuple[SharedPosts, Texts]:
        """Return the tweets that are looked at, and the texts among them that the account that they name wrote."""
        shared = await self.signals.shared(as_of - period, as_of, scopes)
        return shared, await self.signals.written(as_of - period, as_of, set(shared.named().values()))


def _posts(shared: SharedPosts, own: Texts) -> list[Post]:
    # What only the text says to be a retweet is one where the account that it names wrote that text.
    kept = np.ones(len(shared), dtype=bool)
    kept[[row for row, text in shared.named().items() if text in own]] = False
    rows = np.flatnonzero(kept)
    # What nobody else shares, and who shares nothing else, is left out at once.
    _, texts, uses = np.unique(shared.text_hashes[rows], return_inverse=True, return_counts=True)
    again = dict.fromkeys(rows[uses[texts] >= LEAST_USES].tolist())
    lines = {row: text.split("\n") for row in rows.tolist() if (text := shared.shared[row])}
    names = Counter(chain.from_iterable(lines.values()))
    often = {name for name, count in names.items() if count >= LEAST_USES}
    ids, moments = shared.ids.tolist(), (shared.moments / 1e6).tolist()
    posts = []
    for row in sorted(lines.keys() | again.keys()):
        objects = sorted(often.intersection(lines.get(row, ())))
        if row in again:
            objects.insert(0, f"text:{shared.text_hashes[row]}")
        if objects:
            posts.append(Post(ids[row], moments[row], shared.authors[row], tuple(objects)))
    return posts


def _groups(shared: SharedPosts, own: Texts) -> list[Group]:
    return find_groups(_posts(shared, own))


def _reports(shared: SharedPosts, own: Texts) -> list[GroupReport]:
    posts = _posts(shared, own)
    groups = find_groups(posts)
    wanted = {name for group in groups for name in group.objects}
    uses: dict[str, dict[int, str]] = defaultdict(dict)
    for post in posts:
        for name in wanted.intersection(post.objects):
            uses[name][post.id] = post.author
    return [report(group, uses) for group in groups]

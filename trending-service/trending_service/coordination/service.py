"""Suspected coordination in a period, from the stored tweets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from trending_service.coordination.detector import LEAST_USES, find_groups
from trending_service.coordination.model import Group, Post
from trending_service.coordination.report import GroupReport, report
from trending_service.signals.model import SharedPosts, moment_of
from trending_service.signals.repository import MOST_SHARED, SignalRepository

InThread = Callable[..., Awaitable[Any]]
_Asked = tuple[int, datetime, timedelta, tuple[str, ...]]
"""How far the feed was stored; as of when, of how long and of which tweets groups were asked for."""


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
    _latest: dict[_Asked, list[Group]] = field(default_factory=dict)

    async def groups(self, as_of: datetime, period: timedelta, scopes: Sequence[str] = ()) -> list[Group]:
        """Return the suspected groups of the ``period`` up to ``as_of``, largest first.

        Those that were found last are found once: a round of watches asks for those of the day with each of its scopes.
        """
        asked = (await self.signals.cursor(), as_of, period, tuple(scopes))
        if (known := self._latest.get(asked)) is not None:
            return known
        found: list[Group] = await self.in_thread(_groups, *await self._looked_at(as_of, period, scopes))
        self._latest.clear()
        self._latest[asked] = found
        return found

    async def reports(self, as_of: datetime, period: timedelta, scopes: Sequence[str] = ()) -> Reports:
        """Return what is said of the suspected groups of the ``period`` up to ``as_of``."""
        shared, retweets = await self._looked_at(as_of, period, scopes)
        found: list[GroupReport] = await self.in_thread(_reports, shared, retweets)
        return Reports(found, moment_of(int(shared.moments[-1])) if len(shared) == MOST_SHARED else as_of - period)

    async def _looked_at(
        self, as_of: datetime, period: timedelta, scopes: Sequence[str]
    ) -> tuple[SharedPosts, list[int]]:
        """Return the tweets of the period that may be looked at, and the rows of those that are retweets after all."""
        shared = await self.signals.shared(as_of - period, as_of, scopes)
        named = shared.named()
        own = await self.signals.written(as_of - period, as_of, set(named.values()))
        # What only the text says to be a retweet is one where the account that it names wrote that text.
        return shared, [row for row, text in named.items() if text in own]


def _posts(shared: SharedPosts, retweets: Sequence[int]) -> list[Post]:
    kept = np.ones(len(shared), dtype=bool)
    kept[list(retweets)] = False
    rows = np.flatnonzero(kept)
    # What nobody else shares, and who shares nothing else, is left out at once.
    _, texts, uses = np.unique(shared.text_hashes[rows], return_inverse=True, return_counts=True)
    again = set(rows[uses[texts] >= LEAST_USES].tolist())
    objects = _objects([shared.shared[row] for row in rows.tolist()])
    ids, moments = shared.ids.tolist(), (shared.moments / 1e6).tolist()
    posts = []
    for row in rows.tolist():
        names = objects[shared.shared[row]]
        if row in again:
            names = (f"text:{shared.text_hashes[row]}", *names)
        if names:
            posts.append(Post(ids[row], moments[row], shared.authors[row], names))
    return posts


def _objects(shared: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of these lists of hashtags and links, one a line, those that are shared ``LEAST_USES`` times."""
    lists = Counter(shared)
    uses: Counter[str] = Counter()
    for names, count in lists.items():
        for name in filter(None, names.split("\n")):
            uses[name] += count
    often = {name for name, count in uses.items() if count >= LEAST_USES}
    return {names: tuple(sorted(name for name in names.split("\n") if name in often)) for names in lists}


def _groups(shared: SharedPosts, retweets: Sequence[int]) -> list[Group]:
    return find_groups(_posts(shared, retweets))


def _reports(shared: SharedPosts, retweets: Sequence[int]) -> list[GroupReport]:
    posts = _posts(shared, retweets)
    groups = find_groups(posts)
    wanted = {name for group in groups for name in group.objects}
    uses: dict[str, dict[int, str]] = defaultdict(dict)
    for post in posts:
        for name in wanted.intersection(post.objects):
            uses[name][post.id] = post.author
    return [report(group, uses) for group in groups]

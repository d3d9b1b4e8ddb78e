"""Suspected coordination in a period, from the stored tweets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from trending_service.coordination.detector import LEAST_USES, find_groups
from trending_service.coordination.model import Group, Post
from trending_service.coordination.report import GroupReport, report
from trending_service.signals.model import SharedPost
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
        return Reports(found, shared[-1].created_at if len(shared) == MOST_SHARED else as_of - period)

    async def _looked_at(
        self, as_of: datetime, period: timedelta, scopes: Sequence[str]
    ) -> tuple[list[SharedPost], Texts]:
        """Return the tweets that are looked at, and the texts among them that the account that they name wrote."""
        shared = await self.signals.shared(as_of - period, as_of, scopes)
        named = {(post.voice, post.text_hash) for post in shared if post.voice != post.author}
        return shared, await self.signals.written(as_of - period, as_of, named)


def _posts(shared: Sequence[SharedPost], own: Texts) -> list[Post]:
    # What only the text says to be a retweet is one where the account that it names wrote that text.
    shared = [post for post in shared if post.voice == post.author or (post.voice, post.text_hash) not in own]
    # Most texts and links are used once: what cannot show a group, and who shares nothing else, is left out at once.
    texts = Counter(post.text_hash for post in shared)
    names = Counter(chain.from_iterable(post.shared for post in shared))
    posts = []
    for post in shared:
        objects = sorted(name for name in post.shared if names[name] >= LEAST_USES)
        if texts[post.text_hash] >= LEAST_USES:
            objects.insert(0, f"text:{post.text_hash}")
        if objects:
            posts.append(Post(post.id, post.created_at.timestamp(), post.author, tuple(objects)))
    return posts


def _groups(shared: Sequence[SharedPost], own: Texts) -> list[Group]:
    return find_groups(_posts(shared, own))


def _reports(shared: Sequence[SharedPost], own: Texts) -> list[GroupReport]:
    posts = _posts(shared, own)
    groups = find_groups(posts)
    wanted = {name for group in groups for name in group.objects}
    uses: dict[str, dict[int, str]] = defaultdict(dict)
    for post in posts:
        for name in wanted.intersection(post.objects):
            uses[name][post.id] = post.author
    return [report(group, uses) for group in groups]

"""The budget for reading X: prices, limits, and whether an amount fits.

A budget has four levels: the whole account, one purpose (trending, analysis), and one organisation and one tenant
within a purpose; each is limited by UTC day and by UTC month, in posts and in dollars. What is spent and what is
reserved count against it.
Amounts are whole posts and millionths of a dollar, so that nothing is lost by rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from castor_chassis import normal_time
from twitter_service.errors import BudgetSpent

MICRO = 1_000_000
PLATFORM = "default"
"""The organisation of the platform, and of whoever was there before there were others."""
Purpose = Literal["analysis", "trending"]
Period = Literal["daily", "monthly"]
Level = Literal["all", "purpose", "organisation", "tenant"]
LEVELS: tuple[Level, ...] = ("all", "purpose", "organisation", "tenant")
PERIODS: tuple[Period, ...] = ("daily", "monthly")


@dataclass(frozen=True)
class Amount:
    """Posts and millionths of a dollar."""

    posts: int = 0
    micro_usd: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.posts + other.posts, self.micro_usd + other.micro_usd)


@dataclass(frozen=True)
class Prices:
    """Dollars of one read; docs.x.com (2026): a post 0.005, a user 0.010, each once a UTC day."""

    post_usd: float
    user_usd: float

    def of(self, posts: int, users: int = 0) -> Amount:
        """Return what reading so much costs."""
        return Amount(posts, posts * round(self.post_usd * MICRO) + users * round(self.user_usd * MICRO))


@dataclass(frozen=True)
class Payer:
    """On whose account something is read, and for what."""

    tenant: str
    purpose: Purpose
    org: str = PLATFORM
    """The tenant's organisation."""


@dataclass(frozen=True)
class BudgetLimits:
    """Limits of the whole account, and shares of them; None: no limit. See the settings of the same names."""

    daily: tuple[int | None, float | None]
    """Posts, dollars."""
    monthly: tuple[int | None, float | None]
    purpose_shares: Mapping[str, float]
    tenant_share: float
    organisation_shares: Mapping[str, float] = field(default_factory=dict)
    """By organisation; ``*`` holds for those without a share of their own."""

    def of(self, level: Level, period: Period, payer: Payer) -> tuple[int | None, int | None]:
        """Return posts and millionths of a dollar that a level of the payer's may use in a period."""
        share = self._share(level, payer)
        posts, usd = self.daily if period == "daily" else self.monthly
        return None if posts is None else int(posts * share), None if usd is None else int(usd * share * MICRO)

    def _share(self, level: Level, payer: Payer) -> float:
        if level == "all":
            return 1.0
        within = {
            "tenant": self.tenant_share,
            "organisation": self.organisation_shares.get(payer.org, self.organisation_shares.get("*", 1.0)),
        }
        return self.purpose_shares.get(payer.purpose, 0.0) * within.get(level, 1.0)


@dataclass(frozen=True)
class LedgerEntry:
    """What a tenant or an organisation has spent or reserved for a purpose; ``today`` or earlier in this month."""

    purpose: str
    level: Literal["organisation", "tenant"]
    name: str
    today: bool
    spent: Amount
    reserved: Amount


@dataclass(frozen=True)
class BudgetStatus:
    """What one level has spent and reserved in one period, and its limits."""

    level: Level
    name: str
    period: Period
    spent: Amount
    reserved: Amount
    limit_posts: int | None
    limit_micro_usd: int | None
    resets_at: datetime

    @property
    def left(self) -> tuple[int | None, int | None]:
        """Posts and millionths of a dollar that may still be reserved; None: no limit."""
        used = self.spent + self.reserved
        posts, micro = self.limit_posts, self.limit_micro_usd
        return (
            None if posts is None else max(0, posts - used.posts),
            None if micro is None else max(0, micro - used.micro_usd),
        )


def statuses(entries: Iterable[LedgerEntry], payer: Payer, limits: BudgetLimits, today: date) -> list[BudgetStatus]:
    """Return the status of every level that concerns ``payer``, in both periods."""
    known = list(entries)
    return [_status(known, payer, limits, level, period, today) for level in LEVELS for period in PERIODS]


def check(requested: Amount, budgets: Iterable[BudgetStatus]) -> None:
    """Raise ``BudgetSpent`` for the first level that ``requested`` does not fit."""
    for status in budgets:
        for left, needed, unit in _compared(status, requested):
            if left is not None and needed > left:
                raise BudgetSpent(
                    period=status.period,
                    scope=status.name,
                    left=left if unit == "posts" else left / MICRO,
                    unit=unit,
                    needed=needed if unit == "posts" else needed / MICRO,
                    resets_at=normal_time(status.resets_at),
                )


def affordable(posts: int, price_micro_usd: int, budgets: Iterable[BudgetStatus]) -> int:
    """Return how many of ``posts``, at a price each, every budget covers."""
    for status in budgets:
        left_posts, left_micro = status.left
        if left_posts is not None:
            posts = min(posts, left_posts)
        if left_micro is not None and price_micro_usd:
            posts = min(posts, left_micro // price_micro_usd)
    return posts


def next_start(period: Period, today: date) -> datetime:
    """Return when the period after that of ``today`` begins, in UTC."""
    first = (
        today + timedelta(days=1) if period == "daily" else (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    )
    return datetime.combine(first, time(), UTC)


def _compared(status: BudgetStatus, requested: Amount) -> Iterator[tuple[int | None, int, str]]:
    posts, micro = status.left
    yield posts, requested.posts, "posts"
    yield micro, requested.micro_usd, "dollars"


def _status(
    entries: Iterable[LedgerEntry], payer: Payer, limits: BudgetLimits, level: Level, period: Period, today: date
) -> BudgetStatus:
    owner = {"tenant": payer.tenant, "organisation": payer.org}.get(level)
    matching = [
        entry
        for entry in entries
        if entry.level == ("organisation" if level == "organisation" else "tenant")
        and (level == "all" or entry.purpose == payer.purpose)
        and (owner is None or entry.name == owner)
        and (period == "monthly" or entry.today)
    ]
    posts, micro = limits.of(level, period, payer)
    name = payer.purpose if owner is None else f"{owner} for {payer.purpose}"
    return BudgetStatus(
        level,
        "the whole account" if level == "all" else name,
        period,
        sum((entry.spent for entry in matching), Amount()),
        sum((entry.reserved for entry in matching), Amount()),
        posts,
        micro,
        next_start(period, today),
    )

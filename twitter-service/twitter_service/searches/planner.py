"""Plans a search: the queries that X is asked, the window, the cap, and what it will cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from castor_chassis import normal_time
from twitter_service.billing.budget import Amount, BudgetStatus, Payer
from twitter_service.billing.ledger import Ledger
from twitter_service.entities.model import Entity
from twitter_service.entities.repository import EntityRepository
from twitter_service.searches.model import SearchSpec
from twitter_service.x.client import ARCHIVE_PAGE, MIN_PAGE, RECENT_PAGE, XClient
from twitter_service.x.errors import ArchiveNotEnabled, WindowEmpty, WindowTooFar
from twitter_service.x.query_builder import ARCHIVE_LIMIT, RECENT_LIMIT, Search, queries
from twitter_service.x.span import Span

RECENT_DAYS = 7
END_LAG = timedelta(seconds=15)
"""X refuses an end that is less than 10 s ago."""
FIRST_POST = datetime(2006, 3, 21, tzinfo=UTC)
MAX_HANDLE = 15


@dataclass(frozen=True)
class Plan:
    """What X is asked."""

    queries: list[str]
    span: Span
    archive: bool
    max_posts: int


@dataclass(frozen=True)
class Preview:
    """What a plan will cost. ``found`` counts a post once for each query that it matches."""

    plan: Plan
    found: int
    to_read: int
    requests: int
    price: Amount
    budgets: list[BudgetStatus]

    @property
    def fits(self) -> bool:
        """True when every budget covers the price."""
        lefts = [budget.left for budget in self.budgets]
        return all(
            (posts is None or self.price.posts <= posts) and (micro is None or self.price.micro_usd <= micro)
            for posts, micro in lefts
        )


class Planner:
    """Plans searches, and asks X's counts how much they will find."""

    def __init__(self, entities: EntityRepository, ledger: Ledger, *, archive_enabled: bool) -> None:
        self._entities = entities
        self._ledger = ledger
        self._archive_enabled = archive_enabled

    async def plan(self, spec: SearchSpec) -> Plan:
        """Return what X is to be asked; raises an ``Invalid`` that says what cannot be searched for."""
        if spec.archive and not self._archive_enabled:
            raise ArchiveNotEnabled
        search = await searchable(self._entities, spec.search, spec.entity)
        span = window(spec, datetime.now(UTC))
        built = queries(search, ARCHIVE_LIMIT if spec.archive else RECENT_LIMIT)
        return Plan(built, span, spec.archive, spec.max_posts)

    async def preview(self, x: XClient, plan: Plan, payer: Payer, patience: float) -> Preview:
        """Ask X how much there is; costs requests of the counts endpoint and no money."""
        counts = [await x.count(query, plan.span, archive=plan.archive, patience=patience) for query in plan.queries]
        found = sum(counts)
        to_read = min(found, plan.max_posts)
        size = ARCHIVE_PAGE if plan.archive else RECENT_PAGE
        pages = sum(max(1, -(-count // size)) for count in counts)
        requests = min(pages, -(-plan.max_posts // size) + len(counts) - 1)
        price = self._ledger.prices.of(to_read)
        return Preview(plan, found, to_read, requests, price, await self._ledger.statuses(payer))


def window(spec: SearchSpec, now: datetime) -> Span:
    """Return the span to ask for; raises ``WindowTooFar`` or ``WindowEmpty``.

    A start at the limit of recent search is left out: X reaches back 7 days by itself, and the start would be too far
    back by the time that the request arrives.
    """
    end = min(spec.until or now, now - END_LAG)
    earliest = FIRST_POST if spec.archive else now - timedelta(days=RECENT_DAYS)
    start = spec.since
    if start is None and spec.days_back is not None:
        start = max(now - timedelta(days=spec.days_back), FIRST_POST)
    if start is None and spec.archive:
        start = now - timedelta(days=RECENT_DAYS)
    if start is not None and start < earliest:
        raise WindowTooFar(days=RECENT_DAYS, archive=", or set archive where the plan has it")
    if (start is not None and start >= end) or end <= earliest:
        raise WindowEmpty(since=normal_time(start or earliest), until=normal_time(end))
    is_all = not spec.archive and start is not None and start - earliest < timedelta(minutes=1)
    # X takes whole seconds; counts and search are asked for the same ones.
    return Span(None if is_all or start is None else start.replace(microsecond=0), end.replace(microsecond=0))


async def searchable(entities: EntityRepository, search: Search, entity: str | None) -> Search:
    """Return ``search`` with the names of an entity among its alternatives; raises ``EntityNotFound``."""
    return search if entity is None else _with_entity(search, await entities.get(entity))


def cap_for(found: int) -> int:
    """Return how many posts to reserve for ``found``: the last page cannot be smaller than X's least."""
    return max(MIN_PAGE, found + MIN_PAGE - 1)


def _with_entity(search: Search, entity: Entity) -> Search:
    handles = [handle for handle in entity.handles if len(handle) <= MAX_HANDLE]
    return replace(
        search,
        any_of=[*search.any_of, *entity.aliases],
        hashtags=[*search.hashtags, *entity.hashtags],
        mentions=[*search.mentions, *handles],
        voices=[*search.voices, *handles],
    )

"""What callers may ask of X: previews, searches, timelines, look-ups, and what it has cost."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from castor_chassis.context import remaining_seconds
from twitter_service.billing.budget import Payer, Standing
from twitter_service.billing.ledger import Ledger
from twitter_service.searches.ingest import Sink
from twitter_service.searches.planner import Plan, Planner, Preview, Wish, cap_for
from twitter_service.searches.repository import NewSearch, Row, SearchStore
from twitter_service.x.client import Span, XClient
from twitter_service.x.errors import BudgetSpent, IdempotencyConflict, XLimitsUnavailable, XNotConfigured
from twitter_service.x.rate_limits import Allowance

LEAST_PATIENCE_SECONDS, RESERVE_SECONDS = 0.5, 2.0
FINISHED = frozenset({"done", "failed"})


@dataclass(frozen=True)
class Order:
    """Who asks, for what, and under which idempotency key."""

    payer: Payer
    request: dict[str, Any]
    idempotency_key: str | None


@dataclass(frozen=True)
class LookUp:
    """What became of the ids that were looked up."""

    found: list[str]
    missing: list[str]
    stored: int
    billed: int
    micro_usd: int


class XService:
    """Everything that routes ask; ``x`` is None where no key is configured."""

    def __init__(
        self,
        x: XClient | None,
        planner: Planner,
        ledger: Ledger,
        searches: SearchStore,
        on_queued: Callable[[], None],
        sink: Sink,
    ) -> None:
        self._x = x
        self._planner = planner
        self._ledger = ledger
        self._searches = searches
        self._on_queued = on_queued
        self._sink = sink

    @property
    def x(self) -> XClient:
        """The client of X; raises ``XNotConfigured``."""
        if self._x is None:
            raise XNotConfigured
        return self._x

    @property
    def is_configured(self) -> bool:
        """True with a key."""
        return self._x is not None

    async def preview(self, wish: Wish, payer: Payer) -> Preview:
        """Say what a search would find and cost; raises the errors of X and of ``Planner.plan``."""
        plan = await self._planner.plan(wish)
        return await self._planner.preview(self.x, plan, payer, _patience())

    async def search(self, wish: Wish, order: Order) -> Row:
        """Promise the price of a search and queue it; raises ``BudgetSpent`` before anything is spent."""
        if (before := await self._before(order)) is not None:
            return before
        plan = await self._planner.plan(wish)
        search_id = uuid.uuid4().hex
        cap = await self._promise(search_id, plan, order.payer)
        new = NewSearch(
            search_id, "search", order.payer, order.request, plan.queries, plan.span, cap, plan.archive,
            order.idempotency_key,
        )  # fmt: skip
        return await self._queue(new, order)

    async def timeline(self, handle: str, span: Span, max_posts: int, order: Order) -> Row:
        """Queue the reading of what an account wrote; looking the account up is a user read."""
        if (before := await self._before(order)) is not None:
            return before
        search_id = uuid.uuid4().hex
        await self._ledger.reserve(search_id, order.payer, max_posts)
        try:
            user = await self.x.user(handle, patience=_patience())
            await self._ledger.charge(search_id, order.payer, [], [int(user["id"])])
        except BaseException:
            await self._ledger.release(search_id)
            raise
        new = NewSearch(
            search_id, "timeline", order.payer, order.request, [str(user["id"])], span, max_posts,
            idempotency_key=order.idempotency_key,
        )  # fmt: skip
        return await self._queue(new, order)

    async def look_up(self, ids: Sequence[str], payer: Payer) -> LookUp:
        """Read posts by id now, store them, and say which ones X does not show."""
        x, key = self.x, uuid.uuid4().hex
        await self._ledger.reserve(key, payer, len(ids))
        try:
            page = await x.tweets(ids, patience=_patience())
            stored = await self._sink.store(page, f"lookup:{key}")
            charge = await self._ledger.charge(key, payer, stored.ids)
        finally:
            await self._ledger.release(key)
        found = [str(item["id"]) for item in page.tweets]
        missing = [wanted for wanted in ids if wanted not in set(found)]
        return LookUp(found, missing, stored.stored, charge.billed.posts, charge.billed.micro_usd)

    async def await_end(self, search_id: str, seconds: float) -> Row:
        """Return a reading, after waiting up to ``seconds`` for its end; raises ``SearchNotFound``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            row = await self._searches.get(search_id)
            if row["state"] in FINISHED or asyncio.get_running_loop().time() >= deadline:
                return row
            await asyncio.sleep(0.25)

    async def usage(self, payer: Payer) -> list[Standing]:
        """Return where the budgets that concern ``payer`` stand."""
        return await self._ledger.standings(payer)

    async def allowances(self) -> list[Allowance] | None:
        """Return what is known of X's windows, nothing without a key; None while Redis is away."""
        if self._x is None:
            return []
        try:
            return await self._x.limits.known()
        except XLimitsUnavailable:
            return None

    async def _before(self, order: Order) -> Row | None:
        """Return what the same order has led to already."""
        if self._x is None:
            raise XNotConfigured
        if order.idempotency_key is None:
            return None
        row = await self._searches.by_key(order.payer.tenant, order.idempotency_key)
        if row is not None and row["request"] != order.request:
            raise IdempotencyConflict(key=order.idempotency_key)
        return row

    async def _promise(self, search_id: str, plan: Plan, payer: Payer) -> int:
        """Promise the whole cap; where that does not fit, ask X how much there is and promise that."""
        try:
            await self._ledger.reserve(search_id, payer, plan.max_posts)
        except BudgetSpent:
            preview = await self._planner.preview(self.x, plan, payer, _patience())
            cap = min(plan.max_posts, cap_for(preview.found))
            await self._ledger.reserve(search_id, payer, cap)
            return cap
        return plan.max_posts

    async def _queue(self, new: NewSearch, order: Order) -> Row:
        if not await self._searches.add(new):
            # The same order came twice at the same time; the other one was faster.
            await self._ledger.release(new.id)
            before = await self._before(order)
            assert before is not None
            return before
        self._on_queued()
        return await self._searches.get(new.id)


def _patience() -> float:
    """Return how long this request may wait for X's allowance and still answer in time."""
    left = remaining_seconds()
    return max(LEAST_PATIENCE_SECONDS, (30.0 if left is None else left) - RESERVE_SECONDS)

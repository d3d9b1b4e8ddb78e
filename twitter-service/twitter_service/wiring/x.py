"""The composition of all that reads X."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from castor_chassis import Chassis, reveal
from twitter_service.billing.budget import Limits, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.collections.repository import CollectionStore
from twitter_service.collections.scheduler import Collections, Collector
from twitter_service.collections.stream_follower import Follower
from twitter_service.entities.repository import EntityStore
from twitter_service.searches.ingest import Sink
from twitter_service.searches.planner import Planner
from twitter_service.searches.repository import SearchStore
from twitter_service.searches.service import XService
from twitter_service.searches.worker import Runner, SearchReader
from twitter_service.settings import TwitterSettings
from twitter_service.x.client import XClient, XPolicy
from twitter_service.x.rate_limits import XLimits
from twitter_service.x.stream import XStream


@dataclass(frozen=True)
class XParts:
    """What the routes need of it."""

    service: XService
    searches: SearchStore
    collections: Collections


@asynccontextmanager
async def x_parts(
    chassis: Chassis, settings: TwitterSettings, entities: EntityStore, sink: Sink
) -> AsyncIterator[XParts]:
    """Make the parts and, with a key, start the background work."""
    ledger = ledger_of(chassis, settings)
    searches = SearchStore(chassis.postgres)
    planner = Planner(entities, ledger, archive_enabled=settings.x_full_archive)
    x = x_client(chassis, settings)
    reader = None if x is None else SearchReader(x, searches, ledger, sink, max_attempts=settings.x_search_attempts)
    runner = Runner(searches, reader, lanes=settings.x_searches_at_a_time, lease_seconds=settings.x_lease_seconds)
    store = CollectionStore(chassis.postgres)
    collector = Collector(store, searches, entities, ledger, runner.ask)
    parts = XParts(
        XService(x, planner, ledger, searches, runner.ask, sink),
        searches,
        Collections(store, collector, is_configured=x is not None),
    )
    if x is None:
        yield parts
        return
    stream = XStream(x, reveal(settings.x_bearer_token) or "", settings.x_base_url)
    follower = Follower(stream, store, collector, ledger, sink, settle_seconds=settings.x_gap_settle_seconds)
    chassis.spawn("read_x", runner.run)
    chassis.spawn_under_lease("run_collections", collector.run)
    chassis.spawn_under_lease("follow_stream", follower.run)
    try:
        yield parts
    finally:
        # What works in the background uses the client, so it ends before it.
        await chassis.workers.stop()
        await x.close()


def ledger_of(chassis: Chassis, settings: TwitterSettings) -> Ledger:
    """Return the ledger with the budgets and prices of the settings."""
    limits = Limits(
        daily=(settings.x_daily_posts, settings.x_daily_usd),
        monthly=(settings.x_monthly_posts, settings.x_monthly_usd),
        purpose_shares={"trending": settings.x_trending_share, "analysis": settings.x_analysis_share},
        tenant_share=settings.x_tenant_share,
    )
    prices = Prices(settings.x_price_post_usd, settings.x_price_user_usd)
    return Ledger(chassis.postgres, limits, prices, lease_seconds=settings.x_lease_seconds)


def x_client(chassis: Chassis, settings: TwitterSettings) -> XClient | None:
    """Return the client of X; None without a key, or without the Redis that counts its allowances."""
    token = reveal(settings.x_bearer_token)
    if token is None or chassis.redis is None:
        return None
    limits = XLimits(
        chassis.redis,
        # Replicas with the same key share its allowances; the key itself stays out of Redis.
        account=hashlib.sha256(token.encode()).hexdigest()[:16],
        max_in_flight=settings.x_max_in_flight,
        slot_seconds=settings.x_timeout_seconds * 2,
        margin_seconds=settings.x_reset_margin_seconds,
    )
    policy = XPolicy(
        base_url=settings.x_base_url,
        timeout_seconds=settings.x_timeout_seconds,
        connections=settings.x_max_in_flight * 2,
        attempts=settings.x_attempts,
        fail_max=settings.breaker_fail_max * settings.x_max_in_flight,
        reset_seconds=settings.breaker_reset_seconds,
    )
    return XClient(token, limits, policy)

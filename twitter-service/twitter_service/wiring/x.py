"""Composition of everything that reads X."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from castor_chassis import Chassis, Wakeup, reveal
from twitter_service.billing.budget import BudgetLimits, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository
from twitter_service.collections.repository import CollectionRepository
from twitter_service.collections.scheduler import CollectionScheduler
from twitter_service.collections.service import CollectionService
from twitter_service.collections.stream_follower import StreamFollower
from twitter_service.entities.repository import EntityRepository
from twitter_service.entities.tweet_writer import TweetWriter
from twitter_service.searches.ingest import PageIngest
from twitter_service.searches.planner import Planner
from twitter_service.searches.repository import SearchRepository
from twitter_service.searches.service import SearchService
from twitter_service.searches.worker import JobRunner, SearchWorker
from twitter_service.settings import TwitterSettings
from twitter_service.x.client import XClient, XPolicy
from twitter_service.x.rate_limits import XLimits
from twitter_service.x.stream import XStream


@dataclass(frozen=True)
class XServices:
    """What the routes use."""

    searches: SearchService
    collections: CollectionService


@asynccontextmanager
async def start_x(
    chassis: Chassis[TwitterSettings], entities: EntityRepository, writer: TweetWriter
) -> AsyncIterator[XServices]:
    """Make the services and, with a key, start the background work."""
    settings = chassis.settings
    x = x_client(chassis)
    ledger = ledger_of(chassis)
    searches, collections = SearchRepository(chassis.postgres), CollectionRepository(chassis.postgres)
    ingest = PageIngest(writer)
    queued, changed = Wakeup(), Wakeup()
    planner = Planner(entities, ledger, archive_enabled=settings.x_full_archive)
    scheduler = CollectionScheduler(collections, searches, entities, ledger, wakeup=changed, queued=queued)
    services = XServices(
        SearchService(x, planner, ledger, searches, ingest, queued),
        CollectionService(collections, scheduler, changed, is_configured=x is not None),
    )
    if x is None:
        yield services
        return
    runner = JobRunner(x, searches, ledger, ingest, max_attempts=settings.x_search_attempts)
    worker = SearchWorker(
        searches, runner, queued, concurrency=settings.x_searches_at_a_time, lease_seconds=settings.x_lease_seconds
    )
    stream = XStream(x, reveal(settings.x_bearer_token) or "", settings.x_base_url)
    follower = StreamFollower(
        stream, collections, scheduler, ledger, ingest, settle_seconds=settings.x_gap_settle_seconds
    )
    chassis.spawn("read_x", worker.run)
    chassis.spawn_under_lease("run_collections", scheduler.run)
    chassis.spawn_under_lease("follow_stream", follower.run)
    try:
        yield services
    finally:
        # The background work uses the client, so it is stopped first.
        await chassis.workers.stop()
        await x.close()


def ledger_of(chassis: Chassis[TwitterSettings]) -> Ledger:
    """Return the ledger with the budgets and prices of the settings."""
    settings = chassis.settings
    limits = BudgetLimits(
        daily=(settings.x_daily_posts, settings.x_daily_usd),
        monthly=(settings.x_monthly_posts, settings.x_monthly_usd),
        purpose_shares={"trending": settings.x_trending_share, "analysis": settings.x_analysis_share},
        tenant_share=settings.x_tenant_share,
        organisation_shares=settings.x_organisation_shares,
    )
    prices = Prices(settings.x_price_post_usd, settings.x_price_user_usd)
    return Ledger(LedgerRepository(chassis.postgres, lease_seconds=settings.x_lease_seconds), limits, prices)


def x_client(chassis: Chassis[TwitterSettings]) -> XClient | None:
    """Return the client of X; None without a key, or without the Redis that counts its allowances."""
    settings = chassis.settings
    token = reveal(settings.x_bearer_token)
    if token is None or chassis.redis is None:
        return None
    limits = XLimits(
        chassis.redis,
        # Replicas with the same key share its allowances; the key itself is not sent to Redis.
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

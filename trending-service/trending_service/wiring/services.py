"""What the service consists of, and its background work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import ClientSession

from castor_chassis import Chassis, every, reveal
from castor_chassis.storage.migrations import check_migrated
from trending_service.analyses.repository import AnalysisRepository
from trending_service.analyses.worker import AnalysisWriter
from trending_service.api.resources import Resources
from trending_service.clients.rag import RagClient
from trending_service.clients.twitter import FEED_PATH, TweetChange, TwitterFeed
from trending_service.coordination.service import CoordinationService
from trending_service.ingest.feed_consumer import FeedConsumer
from trending_service.ingest.roll_up import RollUp
from trending_service.ingest.service import IngestService
from trending_service.settings import TrendingSettings
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.repository import SignalRepository
from trending_service.signals.scope_index_repository import ScopeIndexRepository
from trending_service.topics.finder import Finder
from trending_service.topics.model import Method
from trending_service.topics.service import TopicService
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.service import Tracker
from trending_service.watches.delivery import Deliverer
from trending_service.watches.evaluator import Evaluator
from trending_service.watches.repository import WatchRepository
from trending_service.watches.retention import EventRetention
from trending_service.watches.service import WatchService
from trending_service.watches.targets import session

INDEX_SECONDS = 3600.0
"""How often is looked for a partition without its index."""


@asynccontextmanager
async def start(chassis: Chassis[TrendingSettings]) -> AsyncIterator[Resources]:
    """Start following the feed; yield what the routes use."""
    settings = chassis.settings
    feed = FeedRepository(chassis.postgres)
    twitter = TwitterFeed(chassis.peer("twitter-service", settings.twitter_url), FEED_PATH, TweetChange, settings)
    consumer = FeedConsumer(twitter, feed, chassis.in_thread)
    chassis.spawn_under_lease("follow_tweets", consumer.run)
    hours = HoursRepository(chassis.postgres)
    migrated = partial(check_migrated, chassis.postgres, chassis.package)
    chassis.spawn("roll_up_hours", RollUp(hours, migrated, settings.roll_up_seconds).run)
    indexes = ScopeIndexRepository(chassis.postgres)
    chassis.spawn_under_lease("keep_indexes", every(INDEX_SECONDS, indexes.ensure))
    signals = SignalRepository(chassis.postgres)
    coordination = CoordinationService(signals, chassis.in_thread)
    finder = Finder(signals, hours, coordination, method_of(settings), chassis.in_thread)
    topic_service = TopicService(finder, feed, chassis.cache, settings.cache_seconds)
    trends, watches = TrendRepository(chassis.postgres), WatchRepository(chassis.postgres)
    evaluator = Evaluator(
        Tracker(finder, trends), watches, signals, coordination, settings.zone, settings.track_seconds
    )
    chassis.spawn_under_lease("track_trends", evaluator.run)
    chassis.spawn("forget_events", EventRetention(trends, watches, migrated, settings.event_retention_days).run)
    _write_analyses(chassis, migrated)
    key = reveal(settings.webhook_key)
    secret = key.encode() if key is not None else None
    if secret is not None:
        chassis.spawn(
            "deliver_events",
            Deliverer(watches, sessions_of(settings), secret, settings.webhook_allow_private, migrated).run,
        )
    yield Resources(
        topic_service, coordination, IngestService(feed), trends,
        WatchService(watches, secret, settings.webhook_allow_private),
    )  # fmt: skip


def _write_analyses(chassis: Chassis[TrendingSettings], migrated: Callable[[], Awaitable[None]]) -> None:
    settings, organisations = chassis.settings, chassis.settings.analysis_organisations.split()
    if settings.rag_url is not None and organisations:
        rag = RagClient(chassis.peer("rag-service", settings.rag_url))
        analyses = AnalysisRepository(chassis.postgres)
        chassis.spawn("write_analyses", AnalysisWriter(analyses, rag, organisations, settings.zone, migrated).run)


def sessions_of(settings: TrendingSettings) -> Callable[[], ClientSession]:
    """Return what opens the client of webhooks."""
    return partial(
        session,
        allow_private=settings.webhook_allow_private,
        timeout_seconds=settings.webhook_timeout_seconds,
    )


def method_of(settings: TrendingSettings) -> Method:
    """Return how topics are found under these settings."""
    return Method(
        baseline_days=settings.baseline_days,
        false_discovery_rate=settings.false_discovery_rate,
        max_candidates=settings.max_candidates,
        max_window_tweets=settings.max_window_tweets,
        zone=settings.zone,
    )

"""Composition root of trending-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service
from trending_service import __version__
from trending_service.api import TAGS, status, timelines, topics
from trending_service.api.resources import Resources
from trending_service.clients.twitter import FEED_PATH, TweetChange, TwitterFeed
from trending_service.ingest.feed_consumer import FeedConsumer
from trending_service.ingest.service import IngestService
from trending_service.settings import TrendingSettings
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.repository import SignalRepository
from trending_service.topics.model import Method
from trending_service.topics.service import TopicService


def create_app(
    settings: TrendingSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; ``keys`` replaces auth-service's in tests."""
    return create_service(
        settings,
        package="trending_service",
        version=__version__,
        summary="What is bursting now in the stream of tweets, and why.",
        routers=[topics.router, timelines.router, status.router],
        tags=TAGS,
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[TrendingSettings]) -> AsyncIterator[Resources]:
    """Start following the feed; yield what the routes use."""
    settings = chassis.settings
    feed = FeedRepository(chassis.postgres)
    twitter = TwitterFeed(chassis.peer("twitter-service", settings.twitter_url), FEED_PATH, TweetChange, settings)
    consumer = FeedConsumer(twitter, feed, chassis.in_thread)
    chassis.spawn_under_lease("follow_tweets", consumer.run)
    topic_service = TopicService(
        SignalRepository(chassis.postgres), feed, chassis.cache, method_of(settings), settings.cache_seconds
    )
    yield Resources(topic_service, IngestService(feed))


def method_of(settings: TrendingSettings) -> Method:
    """Return how topics are found under these settings."""
    return Method(
        baseline_days=settings.baseline_days,
        false_discovery_rate=settings.false_discovery_rate,
        max_candidates=settings.max_candidates,
        zone=settings.zone,
    )

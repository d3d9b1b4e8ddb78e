"""Composition of trending-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI

from castor_chassis import Chassis, KeySource, create_service, run_under_lease
from trending_service import __version__
from trending_service.api.topics import router
from trending_service.clients.twitter import TwitterClient
from trending_service.ingest.feed_consumer import FeedFollower
from trending_service.settings import TrendingSettings
from trending_service.signals.repository import TrendStore
from trending_service.topics.finder import Method
from trending_service.topics.service import Answers


def create_app(settings: TrendingSettings, *, keys: KeySource | None = None) -> FastAPI:
    """Return the app; ``keys`` replaces auth-service's in tests."""
    return create_service(
        settings,
        package="trending_service",
        version=__version__,
        summary="What is bursting now in the stream of tweets, and why.",
        routers=[router],
        start=start,
        keys=keys,
    )


@asynccontextmanager
async def start(chassis: Chassis) -> AsyncIterator[Answers]:
    """Start following the feed; yield what the routes use."""
    settings = cast(TrendingSettings, chassis.settings)
    store = TrendStore(chassis.postgres)
    twitter = TwitterClient(
        chassis.peer("twitter-service", settings.twitter_url),
        page_size=settings.feed_page_size,
        wait_seconds=settings.feed_wait_seconds,
    )
    follower = FeedFollower(twitter, store, chassis.in_thread)
    chassis.spawn("follow_tweets", lambda: run_under_lease(chassis.postgres, "follow_tweets", follower.run))
    yield Answers(store, chassis.cache, method_of(settings), settings.cache_seconds)


def method_of(settings: TrendingSettings) -> Method:
    """Return how topics are found under these settings."""
    return Method(
        baseline_days=settings.baseline_days,
        false_discovery_rate=settings.false_discovery_rate,
        max_candidates=settings.max_candidates,
        zone=settings.zone,
    )

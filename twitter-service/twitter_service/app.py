"""The composition of twitter-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service
from twitter_service import __version__
from twitter_service.api import authors, collections, counts, entities, exports, imports, searches, tweets, usage
from twitter_service.api.resources import Resources
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityStore
from twitter_service.imports.import_run import Importer, ImportRules
from twitter_service.imports.repository import ImportStore
from twitter_service.queries.service import Reader
from twitter_service.scoring.target_repository import TargetStore
from twitter_service.searches.ingest import Sink
from twitter_service.settings import TwitterSettings
from twitter_service.tweets.author_repository import AuthorStore
from twitter_service.tweets.feed import Feed
from twitter_service.tweets.repository import TweetStore
from twitter_service.wiring.maintenance import spawn_upkeep
from twitter_service.wiring.scoring import spawn_fillers
from twitter_service.wiring.x import x_parts


def create_app(
    settings: TwitterSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the service; nothing is contacted before it starts."""
    return create_service(
        settings,
        package="twitter_service",
        version=__version__,
        summary="Tweets in, the tweet feed out.",
        routers=[
            api.router for api in (searches, usage, collections, imports, tweets, entities, counts, exports, authors)
        ],
        start=start,
        slow_paths={"/v1/twitter/imports": settings.import_timeout_seconds},
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[TwitterSettings]) -> AsyncIterator[Resources]:
    """Make the parts and start the background work."""
    settings = chassis.settings
    tweets = TweetStore(chassis.postgres)
    entities = EntityStore(chassis.postgres, max_entities=settings.max_entities)
    authors = AuthorStore(chassis.postgres)
    imports = ImportStore(chassis.postgres)
    feed = Feed(tweets, max_waiters=settings.feed_max_waiters, is_draining=lambda: chassis.health.draining)
    rematcher = Rematcher(entities, on_news=feed.look)
    targets = TargetStore(chassis.postgres)
    ask_for_sentiment = spawn_fillers(chassis, settings, tweets, targets, on_scored=feed.look)

    def on_stored() -> None:
        feed.look()
        ask_for_sentiment()
        indexer.ask()

    rules = ImportRules(
        settings.import_piece_bytes,
        settings.import_max_unpacked_bytes,
        settings.import_max_concurrent,
        settings.max_author_entities,
        settings.import_parses_apart,
    )
    importer = Importer(
        tweets, entities, imports, rules=rules, in_thread=chassis.in_thread, rematcher=rematcher, on_news=on_stored
    )
    indexer = spawn_upkeep(chassis, settings, authors, is_importing=lambda: importer.is_running)
    chassis.spawn("watch_feed", feed.watch)
    chassis.spawn_under_lease("match_entities", rematcher.run)
    sink = Sink(tweets, entities, chassis.in_thread, on_stored)
    async with x_parts(chassis, settings, entities, sink) as x:
        reader = Reader(tweets, entities, authors)
        yield Resources(
            tweets, targets, entities, imports, importer, reader, rematcher, feed, x.service, x.searches, x.collections
        )

"""Composition of a running service: its parts, and its background work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from castor_chassis import Chassis, Wakeup
from twitter_service.api.resources import Resources
from twitter_service.datasets.repository import DatasetRepository
from twitter_service.entities.counts_repository import CountsRepository
from twitter_service.entities.rematch_repository import RematchRepository
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityRepository
from twitter_service.entities.service import EntityService
from twitter_service.entities.tweet_writer import TweetWriter
from twitter_service.imports.model import ImportLimits
from twitter_service.imports.repository import ImportRepository
from twitter_service.imports.service import ImportService
from twitter_service.queries.service import QueryService
from twitter_service.rejudging.service import RejudgingService
from twitter_service.rejudging.version_repository import VersionRepository
from twitter_service.scoring.service import ScoringService
from twitter_service.scoring.target_repository import TargetRepository
from twitter_service.settings import TwitterSettings
from twitter_service.tweets.author_repository import AuthorRepository
from twitter_service.tweets.feed import Feed
from twitter_service.tweets.feed_repository import FeedRepository
from twitter_service.tweets.repository import TweetRepository
from twitter_service.tweets.service import TweetService
from twitter_service.wiring.maintenance import start_maintenance
from twitter_service.wiring.scoring import start_scoring
from twitter_service.wiring.x import start_x


@asynccontextmanager
async def start(chassis: Chassis[TwitterSettings]) -> AsyncIterator[Resources]:
    """Make the parts and start the background work; both end with the block."""
    settings, postgres = chassis.settings, chassis.postgres
    tweets, feed_repository, targets = TweetRepository(postgres), FeedRepository(postgres), TargetRepository(postgres)
    entities = EntityRepository(postgres, max_entities=settings.max_entities)
    feed = Feed(feed_repository, max_waiters=settings.feed_max_waiters, is_draining=lambda: chassis.health.draining)
    to_score, to_index, to_rematch = Wakeup(), Wakeup(), Wakeup()

    def on_stored() -> None:
        feed.look()
        to_score.set()
        to_index.set()

    writer = TweetWriter(tweets, entities, chassis.in_thread, on_stored)
    rematcher = Rematcher(RematchRepository(postgres), to_rematch, on_change=feed.look)
    datasets, stored_imports = DatasetRepository(postgres), ImportRepository(postgres)
    imports = ImportService(
        stored_imports, datasets, entities, writer, rematcher, chassis.in_thread, import_limits(settings)
    )
    start_scoring(chassis, targets, stored=to_score, on_scored=feed.look)
    start_maintenance(chassis, stored=to_index, is_importing=imports.is_running)
    chassis.spawn("watch_feed", feed.watch)
    chassis.spawn_under_lease("match_entities", rematcher.run)
    async with start_x(chassis, entities, writer) as x:
        yield Resources(
            imports=imports,
            tweets=TweetService(tweets, on_change=feed.look),
            feed=feed,
            scoring=ScoringService(feed_repository, targets),
            rejudging=RejudgingService(VersionRepository(postgres)),
            entities=EntityService(entities, to_rematch),
            queries=QueryService(tweets, entities, CountsRepository(postgres), AuthorRepository(postgres), datasets),
            datasets=datasets,
            searches=x.searches,
            collections=x.collections,
        )


def import_limits(settings: TwitterSettings) -> ImportLimits:
    """Return the limits of the settings."""
    return ImportLimits(
        piece_bytes=settings.import_piece_bytes,
        max_unpacked_bytes=settings.import_max_unpacked_bytes,
        max_concurrent=settings.import_max_concurrent,
        max_author_entities=settings.max_author_entities,
        parses_apart=settings.import_parses_apart,
    )

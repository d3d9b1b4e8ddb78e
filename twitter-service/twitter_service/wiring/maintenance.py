"""The background work that looks after what is stored."""

from __future__ import annotations

from collections.abc import Callable

from castor_chassis import Chassis
from twitter_service.maintenance.retention import Tender
from twitter_service.maintenance.retention_repository import RetentionStore
from twitter_service.maintenance.search_index_repository import WordStore
from twitter_service.maintenance.search_indexer import WordIndexer
from twitter_service.settings import TwitterSettings
from twitter_service.tweets.author_repository import AuthorStore


def spawn_upkeep(
    chassis: Chassis, settings: TwitterSettings, authors: AuthorStore, *, is_importing: Callable[[], bool]
) -> WordIndexer:
    """Start indexing words, assessing authors and retiring tweets; return the indexer, to be told of news."""
    postgres = chassis.postgres
    indexer = WordIndexer(
        WordStore(postgres), is_importing=is_importing, most_lag_seconds=settings.search_max_lag_seconds
    )
    tender = Tender(
        authors,
        RetentionStore(postgres),
        retention_days=settings.retention_days,
        tombstone_days=settings.tombstone_days,
        poll_seconds=settings.author_poll_seconds,
        sweep_seconds=settings.retention_sweep_seconds,
        is_importing=is_importing,
        most_lag_seconds=settings.search_max_lag_seconds,
    )
    chassis.spawn_under_lease("index_words", indexer.run)
    chassis.spawn_under_lease("tend_tweets", tender.run)
    return indexer

"""The background work that looks after what is stored."""

from __future__ import annotations

from collections.abc import Callable

from castor_chassis import Chassis, run_under_lease
from twitter_service.author_store import AuthorStore
from twitter_service.retention_store import RetentionStore
from twitter_service.settings import TwitterSettings
from twitter_service.tending import Tender
from twitter_service.word_indexing import WordIndexer
from twitter_service.words_store import WordStore


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
    chassis.spawn("index_words", lambda: run_under_lease(postgres, "index_words", indexer.run))
    chassis.spawn("tend_tweets", lambda: run_under_lease(postgres, "tend_tweets", tender.run))
    return indexer

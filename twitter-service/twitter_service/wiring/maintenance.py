"""Composition of the upkeep of stored tweets: the full-text index, credibility of authors, retention."""

from __future__ import annotations

from collections.abc import Callable

from castor_chassis import Chassis, Wakeup
from twitter_service.maintenance.assessment_repository import AssessmentRepository
from twitter_service.maintenance.author_assessor import AuthorAssessor
from twitter_service.maintenance.cleaning_repository import CleaningRepository
from twitter_service.maintenance.import_pause import ImportPause
from twitter_service.maintenance.retention import Retention
from twitter_service.maintenance.retention_repository import RetentionRepository
from twitter_service.maintenance.search_index_repository import SearchIndexRepository
from twitter_service.maintenance.search_indexer import POLL_SECONDS, SearchIndexer
from twitter_service.settings import TwitterSettings


def start_maintenance(chassis: Chassis[TwitterSettings], *, stored: Wakeup, is_importing: Callable[[], bool]) -> None:
    """Start the work, each part under a lease. ``stored`` says that tweets were stored."""
    settings, postgres = chassis.settings, chassis.postgres
    max_lag = settings.search_max_lag_seconds
    indexer = SearchIndexer(
        SearchIndexRepository(postgres),
        ImportPause(is_importing, max_seconds=max_lag, poll_seconds=POLL_SECONDS),
        stored,
    )
    assessor = AuthorAssessor(
        AssessmentRepository(postgres),
        ImportPause(is_importing, max_seconds=max_lag, poll_seconds=settings.author_poll_seconds),
        poll_seconds=settings.author_poll_seconds,
    )
    retention = Retention(
        RetentionRepository(postgres),
        CleaningRepository(postgres),
        retention_days=settings.retention_days,
        tombstone_days=settings.tombstone_days,
        job_days=settings.job_days,
        sweep_seconds=settings.retention_sweep_seconds,
    )
    chassis.spawn_under_lease("index_tweets", indexer.run)
    chassis.spawn_under_lease("assess_authors", assessor.run)
    chassis.spawn_under_lease("maintain_tweets", retention.run)

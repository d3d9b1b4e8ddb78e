"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from castor_chassis import Principal, provided
from twitter_service.billing.budget import PLATFORM, Payer, Purpose
from twitter_service.collections.service import CollectionService
from twitter_service.datasets.repository import DatasetRepository
from twitter_service.entities.service import EntityService
from twitter_service.imports.service import ImportService
from twitter_service.queries.service import QueryService
from twitter_service.rejudging.service import RejudgingService
from twitter_service.scoring.service import ScoringService
from twitter_service.searches.service import SearchService
from twitter_service.tweets.feed import Feed
from twitter_service.tweets.service import TweetService


@dataclass(frozen=True)
class Resources:
    """The parts of a running service; lives in ``app.state.resources``."""

    imports: ImportService
    tweets: TweetService
    feed: Feed
    scoring: ScoringService
    rejudging: RejudgingService
    entities: EntityService
    queries: QueryService
    datasets: DatasetRepository
    searches: SearchService
    collections: CollectionService


def org_of(principal: Principal) -> str:
    """Return the organisation that a caller acts for: the platform's for services, and for tokens that say none."""
    return principal.org or PLATFORM


def payer_of(principal: Principal, purpose: Purpose) -> Payer:
    """Return on whose account a caller reads X."""
    return Payer(principal.label, purpose, org_of(principal))


R = Annotated[Resources, provided(Resources)]

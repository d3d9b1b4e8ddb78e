"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from castor_chassis import provided
from twitter_service.collections.scheduler import Collections
from twitter_service.entities.rematcher import Rematcher
from twitter_service.entities.repository import EntityStore
from twitter_service.imports.import_run import Importer
from twitter_service.imports.repository import ImportStore
from twitter_service.queries.service import Reader
from twitter_service.scoring.target_repository import TargetStore
from twitter_service.searches.repository import SearchStore
from twitter_service.searches.service import XService
from twitter_service.tweets.feed import Feed
from twitter_service.tweets.repository import TweetStore


@dataclass(frozen=True)
class Resources:
    """The parts of a running service; lives in ``app.state.resources``."""

    tweets: TweetStore
    targets: TargetStore
    entities: EntityStore
    imports: ImportStore
    importer: Importer
    reader: Reader
    rematcher: Rematcher
    feed: Feed
    x: XService
    searches: SearchStore
    collections: Collections


R = Annotated[Resources, provided(Resources)]

"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from twitter_service.collecting import Collections
from twitter_service.entity_store import EntityStore
from twitter_service.feed import Feed
from twitter_service.import_store import ImportStore
from twitter_service.importing import Importer
from twitter_service.reading import Reader
from twitter_service.rematching import Rematcher
from twitter_service.search_store import SearchStore
from twitter_service.store import TweetStore
from twitter_service.target_store import TargetStore
from twitter_service.x_service import XService


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


async def resources(request: Request) -> Resources:
    """Return the parts of this service."""
    found: Resources = request.app.state.resources
    return found


R = Annotated[Resources, Depends(resources)]

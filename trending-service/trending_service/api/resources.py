"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from castor_chassis import Principal, provided, require
from trending_service.coordination.service import CoordinationService
from trending_service.ingest.service import IngestService
from trending_service.topics.service import TopicService
from trending_service.tracking.repository import TrendRepository
from trending_service.watches.service import WatchService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    topics: TopicService
    coordination: CoordinationService
    ingest: IngestService
    trends: TrendRepository
    watches: WatchService


R = Annotated[Resources, provided(Resources)]
CanRead = Annotated[Principal, Depends(require("trends:read"))]

"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from castor_chassis import Principal, provided, require
from trending_service.ingest.service import IngestService
from trending_service.topics.service import TopicService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    topics: TopicService
    ingest: IngestService


R = Annotated[Resources, provided(Resources)]
CanRead = Annotated[Principal, Depends(require("trends:read"))]

"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from castor_chassis import Principal, require
from trending_service.ingest.service import IngestService
from trending_service.topics.service import TopicService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    topics: TopicService
    ingest: IngestService


async def resources(request: Request) -> Resources:
    """Return what ``start`` made."""
    made: Resources = request.app.state.resources
    return made


R = Annotated[Resources, Depends(resources)]
CanRead = Annotated[Principal, Depends(require("trends:read"))]

"""Routes of topics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Page
from trending_service.api.mappers import topics_of
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.fields import AsOf
from trending_service.api.schemas.topics import Topic
from trending_service.topics.model import Question
from trending_service.topics.service import moment

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/topics")
async def list_topics(
    r: R,
    _: CanRead,
    as_of: AsOf = None,
    window_hours: Annotated[int, Query(ge=1, le=720, description="Length of the window that ends with as_of.")] = 24,
    limit: Annotated[int, Query(ge=1, le=50, description="At most so many topics.")] = 10,
    min_tweets: Annotated[int, Query(ge=2, le=10_000, description="A term in fewer tweets is no topic.")] = 5,
) -> Page[Topic]:
    """List what bursts in the window up to as_of, strongest first, and why."""
    return topics_of(await r.topics.topics(Question(moment(as_of), window_hours, limit, min_tweets)))

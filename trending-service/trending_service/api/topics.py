"""HTTP of trending-service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from castor_chassis import NotFound, Ok, Page, Principal, errors_of, ok, page, require
from trending_service.api.schemas.topics import AsOf, MoreTerms, Status, Step, Timeline, Topic, TopicPath
from trending_service.topics.finder import Question
from trending_service.topics.service import Answers, moment

router = APIRouter(prefix="/v1/trending", tags=["trending"])


async def answers(request: Request) -> Answers:
    """Return what ``start`` made."""
    made: Answers = request.app.state.resources
    return made


A = Annotated[Answers, Depends(answers)]
Reader = Annotated[Principal, Depends(require("trends:read"))]


@router.get("/topics")
async def list_topics(
    a: A,
    _: Reader,
    as_of: AsOf = None,
    window_hours: Annotated[int, Query(ge=1, le=720, description="Length of the window that ends with as_of.")] = 24,
    limit: Annotated[int, Query(ge=1, le=50, description="At most so many topics.")] = 10,
    min_tweets: Annotated[int, Query(ge=2, le=10_000, description="A term in fewer tweets is no topic.")] = 5,
) -> Page[Topic]:
    """List what bursts in the window up to as_of, strongest first, and why."""
    found = await a.topics(Question(moment(as_of), window_hours, limit, min_tweets))
    return page(found.items, **found.model_dump(exclude={"items"}, mode="json"))


@router.get("/topics/{topic:path}/timeline", responses=errors_of(NotFound))
async def get_timeline(
    topic: TopicPath,
    term: MoreTerms,
    a: A,
    _: Reader,
    as_of: AsOf = None,
    step: Annotated[Step, Query(description="Length of a bucket.")] = "hour",
    before: Annotated[int, Query(ge=0, le=1000, description="Buckets before that of as_of.")] = 47,
    after: Annotated[int, Query(ge=0, le=1000, description="Buckets after it, to see what became of it.")] = 0,
) -> Ok[Timeline]:
    """Count a topic hour by hour or day by day around as_of."""
    counted = await a.timeline(topic, term, as_of=moment(as_of), step=step, before=before, after=after)
    return ok(counted)


@router.get("/status")
async def get_status(a: A, _: Reader) -> Ok[Status]:
    """Tell how far the feed of tweets is followed."""
    return ok(await a.status())

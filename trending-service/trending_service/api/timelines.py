"""Routes of timelines."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import NotFound, Ok, SinceQuery, UntilQuery, check_span, errors_of, ok
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.fields import AsOf, Axis, Dataset, Entity, MoreTerms, Place, TopicPath, scopes_of
from trending_service.api.schemas.timelines import Timeline
from trending_service.errors import ScopeNotFound
from trending_service.topics.model import Step
from trending_service.topics.service import moment

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/topics/{topic:path}/timeline", responses=errors_of(NotFound, ScopeNotFound))
async def get_timeline(
    topic: TopicPath,
    term: MoreTerms,
    r: R,
    _: CanRead,
    since: SinceQuery = None,
    until: UntilQuery = None,
    as_of: AsOf = None,
    step: Annotated[Step, Query(description="Length of a bucket.")] = "hour",
    before: Annotated[int, Query(ge=0, le=1000, description="Buckets before that of as_of.")] = 47,
    after: Annotated[int, Query(ge=0, le=1000, description="Buckets after it, to see what became of it.")] = 0,
    place: Place = None,
    entity: Entity = None,
    axis: Axis = None,
    dataset: Dataset = None,
) -> Ok[Timeline]:
    """Count a topic hour by hour or day by day from since to until, or around as_of.

    since and until go before as_of, before and after.
    """
    check_span(since, until)
    at = moment(as_of)
    if since is not None or until is not None:
        at, after = min(at, moment(until, "query.until")) - timedelta(milliseconds=1), 0
        before = before if since is None else r.topics.buckets_before(at, since, step)
    scopes = scopes_of(place, entity, axis, dataset)
    counted = await r.topics.timeline(topic, term, as_of=at, step=step, before=before, after=after, scopes=scopes)
    return ok(Timeline.model_validate(counted, from_attributes=True))

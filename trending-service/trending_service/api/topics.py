"""Routes of topics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from castor_chassis import NotFound, Ok, Page, SinceQuery, UntilQuery, errors_of, ok
from trending_service.api.mappers import best_of, detail_of, topics_of
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.fields import (
    AsOf,
    Axis,
    Dataset,
    Entity,
    MinTweets,
    Place,
    Window,
    WindowHours,
    scopes_of,
    window_of,
)
from trending_service.api.schemas.topics import BestTopic, Topic, TopicDetail
from trending_service.errors import ScopeNotFound
from trending_service.topics.model import Question

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/topics", responses=errors_of(ScopeNotFound))
async def list_topics(
    r: R,
    _: CanRead,
    since: SinceQuery = None,
    until: UntilQuery = None,
    as_of: AsOf = None,
    window: Window = None,
    window_hours: WindowHours = 24,
    place: Place = None,
    entity: Entity = None,
    axis: Axis = None,
    dataset: Dataset = None,
    limit: Annotated[int, Query(ge=1, le=50, description="At most so many topics.")] = 10,
    min_tweets: MinTweets = 5,
) -> Page[Topic]:
    """List what bursts in the window from since to until, strongest first, and why.

    Of a window with more tweets than one answer may read the newest are looked at: meta.looked_since says how far back,
    and meta.degraded names 'window'.
    """
    asked = window_of(since, until, as_of, int(window.removesuffix("h")) if window else window_hours)
    question = Question(asked.until, asked.hours, limit, min_tweets, scopes_of(place, entity, axis, dataset))
    return topics_of(await r.topics.topics(question))


@router.get("/best", responses=errors_of(ScopeNotFound))
async def get_best_topic(
    r: R,
    _: CanRead,
    since: SinceQuery = None,
    until: UntilQuery = None,
    as_of: AsOf = None,
    window: Window = None,
    window_hours: WindowHours = 12,
    place: Place = None,
    entity: Entity = None,
    axis: Axis = None,
    dataset: Dataset = None,
    min_tweets: MinTweets = 5,
) -> Ok[BestTopic | None]:
    """Pick the topic of the window that is talked about most and best, for a speech; null when there is none.

    The feed carries no likes: engagement is the number of tweets.
    """
    asked = window_of(since, until, as_of, int(window.removesuffix("h")) if window else window_hours)
    question = Question(asked.until, asked.hours, 50, min_tweets, scopes_of(place, entity, axis, dataset))
    return ok(best_of(await r.topics.topics(question)))


@router.get("/topics/{topic_id}", responses=errors_of(NotFound))
async def get_topic(
    topic_id: Annotated[str, Path(min_length=1, max_length=1000, description="'id' of a topic.")], r: R, _: CanRead
) -> Ok[TopicDetail]:
    """Return a topic as it was found at its moment, with its 48 hours up to then."""
    return ok(detail_of(*await r.topics.topic(topic_id)))

"""Routes of topics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from castor_chassis import NotFound, Ok, Page, errors_of, ok
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
    hours_of,
    scopes_of,
)
from trending_service.api.schemas.topics import BestTopic, Topic, TopicDetail
from trending_service.topics.model import Question
from trending_service.topics.service import moment

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/topics")
async def list_topics(
    r: R,
    _: CanRead,
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
    """List what bursts in the window up to as_of, strongest first, and why."""
    hours = hours_of(window, window_hours)
    question = Question(moment(as_of), hours, limit, min_tweets, scopes_of(place, entity, axis, dataset))
    return topics_of(await r.topics.topics(question))


@router.get("/best")
async def get_best_topic(
    r: R,
    _: CanRead,
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
    hours = hours_of(window, window_hours)
    question = Question(moment(as_of), hours, 50, min_tweets, scopes_of(place, entity, axis, dataset))
    return ok(best_of(await r.topics.topics(question)))


@router.get("/topics/{topic_id}", responses=errors_of(NotFound))
async def get_topic(
    topic_id: Annotated[str, Path(min_length=1, max_length=1000, description="'id' of a topic.")], r: R, _: CanRead
) -> Ok[TopicDetail]:
    """Return a topic as it was found at its moment, with its 48 hours up to then."""
    return ok(detail_of(*await r.topics.topic(topic_id)))

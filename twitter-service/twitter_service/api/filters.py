"""Query parameters that select tweets, or counts of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from castor_chassis import ComposedText, Order, Paged, SinceDay, SinceQuery, Timestamp, UntilDay, UntilQuery, check_span
from twitter_service.api.schemas.fields import AuthorName, Axis, DatasetName, EntityId, Label, Language, PlaceSlug
from twitter_service.queries.service import CountFilter
from twitter_service.tweets.records import TweetFilter
from twitter_service.tweets.search_syntax import parse_search

Dataset = Annotated[
    DatasetName | None, Query(description="Tweets and entities of this data set alone; all when left out.")
]
DAYS = Order(tuple[date], lambda day: (day,))


async def tweet_filter(
    dataset: Dataset = None,
    entity: EntityId | None = None,
    label: Label | None = None,
    axis: Annotated[Axis | None, Query(description="Axis of the Plan Nacional de Desarrollo.")] = None,
    place: Annotated[PlaceSlug | None, Query(description="Slug of a department or city, such as antioquia.")] = None,
    lang: Annotated[Language | None, Query(description="As X names it.")] = None,
    author: AuthorName | None = None,
    min_credibility: Annotated[
        float | None, Query(ge=0, le=1, description="Of the author; unknown authors count as 0.5.")
    ] = None,
    q: Annotated[
        ComposedText | None,
        Query(min_length=1, max_length=500, description='Words, "phrases", AND, OR, NOT, (...).'),
    ] = None,
    since: SinceQuery = None,
    until: UntilQuery = None,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had been written.")] = None,
) -> TweetFilter:
    """Return the conditions of a request."""
    check_span(since, until)
    return TweetFilter(
        dataset=dataset,
        entity=entity,
        label=label,
        author=author and author.removeprefix("@"),
        q=None if q is None else parse_search(q),
        axis=axis,
        place=place,
        lang=lang,
        min_credibility=min_credibility,
        since=since,
        until=until,
        as_of=as_of,
    )


TweetFilters = Annotated[TweetFilter, Depends(tweet_filter)]


async def count_filter(
    cursor: Paged,
    dataset: Dataset = None,
    entity: Annotated[EntityId | None, Query(description="All entities when left out.")] = None,
    since: SinceDay = None,
    until: UntilDay = None,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had been written.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Pages hold whole days.")] = 10_000,
) -> CountFilter:
    """Return which counts a request asks for."""
    check_span(since, until)
    (first,) = cursor.after(DAYS) or (None,)
    return CountFilter(dataset=dataset, entity=entity, since=since, until=until, as_of=as_of, limit=limit, cursor=first)


CountFilters = Annotated[CountFilter, Depends(count_filter)]

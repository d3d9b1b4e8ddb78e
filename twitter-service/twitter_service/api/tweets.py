"""HTTP: tweets, their feed, their scores, and erasures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Ok, Order, Overloaded, Page, Paged, Principal, Row, Timestamp, errors_of, ok, page, require
from twitter_service.api.filters import TweetFilters
from twitter_service.api.resources import R
from twitter_service.api.schemas.fields import TweetId
from twitter_service.api.schemas.tweets import EarlierVersion, Erasure, ErasureRequest, FeedItem, ScoreProgress, Tweet
from twitter_service.errors import DatasetNotFound, EntityNotFound, PlaceNotFound, TweetNotFound

router = APIRouter(prefix="/v1/twitter")
_NEWEST = Order(tuple[Timestamp, Row], lambda one: (one.created_at, one.id), newest_first=True)
_OLDEST_VERSION = Order(tuple[Row], lambda one: (one.version_id,))
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
CanWrite = Annotated[Principal, Depends(require("tweets:write"))]


@router.get("/tweets", tags=["twitter"], responses=errors_of(EntityNotFound, DatasetNotFound, PlaceNotFound))
async def list_tweets(
    r: R,
    _: CanRead,
    filters: TweetFilters,
    cursor: Paged,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[Tweet]:
    """List tweets, newest first."""
    tweets = await r.queries.tweets(replace(filters, before=cursor.after(_NEWEST), limit=limit + 1))
    return cursor.page(tweets, limit, _NEWEST, Tweet.of)


@router.get("/tweets/feed", tags=["twitter"], responses=errors_of(Overloaded))
async def read_feed(
    r: R,
    _: Annotated[Principal, Depends(require("feed:read"))],
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="meta.next_cursor of the last page; 0: all.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for a change where there is none.")] = 0,
) -> Page[FeedItem]:
    """Return the latest change of each tweet that changed after a number, in order; keep meta.next_cursor."""
    items = [FeedItem.of(change) for change in await r.feed.page(after, limit, wait)]
    return page(items, next_cursor=str(items[-1].seq if items else after), at_end=len(items) < limit)


@router.get("/tweets/{tweet_id}", tags=["twitter"], responses=errors_of(TweetNotFound))
async def get_tweet(tweet_id: TweetId, r: R, _: CanRead) -> Ok[Tweet]:
    """Return one tweet."""
    return ok(Tweet.of(await r.queries.tweet(tweet_id)))


@router.get("/tweets/{tweet_id}/versions", tags=["reading"], responses=errors_of(TweetNotFound))
async def list_tweet_versions(
    tweet_id: TweetId, r: R, _: CanRead, cursor: Paged, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> Page[EarlierVersion]:
    """Return the texts that edits of a tweet have replaced, oldest first."""
    return cursor.page_of(await r.queries.versions(tweet_id), limit, _OLDEST_VERSION, EarlierVersion.of)


@router.post("/erasures", tags=["twitter"])
async def erase_tweets(body: ErasureRequest, r: R, _: CanWrite) -> Ok[Erasure]:
    """Erase tweets that their authors deleted, with their retweets; the feed tells every consumer."""
    erased, unknown = await r.tweets.erase(body.ids)
    return ok(Erasure(erased=erased, unknown=unknown))


@router.get("/scores/progress", tags=["twitter"])
async def get_score_progress(r: R, _: CanRead) -> Ok[ScoreProgress]:
    """Return how many tweets have their sentiment, and how many pairs of a tweet and an entity wait for theirs."""
    return ok(ScoreProgress.of(await r.scoring.progress(), await r.rejudging.state()))

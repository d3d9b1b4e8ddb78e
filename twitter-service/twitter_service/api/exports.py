"""HTTP: hourly counts, exports, authors and the versions of a tweet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse

from castor_chassis import Items, Ok, Page, Principal, errors_of, ok, page, require
from twitter_service.api.filters import Wanted, WantedCounts
from twitter_service.api.resources import R
from twitter_service.api.schemas.exports import AuthorOut, EarlierVersion, HourlyCount
from twitter_service.api.schemas.tweets import TweetId
from twitter_service.errors import AuthorNotFound, EntityNotFound, TweetNotFound
from twitter_service.queries.export import MEDIA_TYPES, Format, export

router = APIRouter(prefix="/v1/twitter", tags=["reading"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
_EXPORTS = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()}


@router.get("/counts/hourly", responses=errors_of(EntityNotFound))
async def hourly_counts(
    r: R,
    _: Annotated[Principal, Depends(require("counts:read"))],
    wanted: WantedCounts,
) -> Page[HourlyCount]:
    """Return tweets and sentiment by hour and entity, in days of America/Bogota; hours without any tweet are gaps."""
    rows, next_cursor = await r.reader.counts(wanted, by_hour=True)
    return page([HourlyCount.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get(
    "/exports",
    response_class=StreamingResponse,
    responses={**errors_of(EntityNotFound), 200: {"description": "The tweets, newest first.", "content": _EXPORTS}},
)
async def export_tweets(
    r: R, _: CanRead, wanted: Wanted, file_format: Annotated[Format, Query(alias="format")] = "jsonl"
) -> StreamingResponse:
    """Stream all tweets that meet the conditions, as JSON Lines or CSV, which can be imported again, or as Parquet."""
    pieces = await export(r.reader, wanted, file_format)
    name = f'attachment; filename="tweets.{file_format}"'
    return StreamingResponse(pieces, media_type=MEDIA_TYPES[file_format], headers={"content-disposition": name})


@router.get("/authors/{username}", responses=errors_of(AuthorNotFound))
async def get_author(
    username: Annotated[str, Path(pattern=r"^@?[A-Za-z0-9_:]{1,100}$")], r: R, _: CanRead
) -> Ok[AuthorOut]:
    """Return what is known of an author: the credibility, and the reasons for it."""
    return ok(AuthorOut.of(await r.reader.author(username)))


@router.get("/tweets/{tweet_id}/versions", responses=errors_of(TweetNotFound))
async def earlier_versions(tweet_id: TweetId, r: R, _: CanRead) -> Ok[Items[EarlierVersion]]:
    """Return the texts that edits of a tweet have replaced, oldest first."""
    rows = await r.reader.versions(tweet_id)
    return ok(
        Items(items=[EarlierVersion.model_validate({**row, "version_id": str(row["version_id"])}) for row in rows])
    )

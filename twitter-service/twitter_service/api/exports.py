"""HTTP: tweets as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from castor_chassis import Principal, errors_of, require
from twitter_service.api.filters import TweetFilters
from twitter_service.api.resources import R
from twitter_service.errors import DatasetNotFound, EntityNotFound, PlaceNotFound
from twitter_service.queries.export import MEDIA_TYPES, CsvForm, Format, export

router = APIRouter(prefix="/v1/twitter/exports", tags=["reading"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
_EXPORTS = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()}


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        **errors_of(EntityNotFound, DatasetNotFound, PlaceNotFound),
        200: {"description": "The tweets, newest first.", "content": _EXPORTS},
    },
)
async def export_tweets(
    r: R,
    _: CanRead,
    filters: TweetFilters,
    file_format: Annotated[Format, Query(alias="format")] = "jsonl",
    excel: Annotated[
        bool, Query(description="CSV as Excel in Spanish opens it: byte-order mark, semicolons, ids as text.")
    ] = False,
    raw: Annotated[
        bool, Query(description="CSV without the apostrophe before cells that a spreadsheet would run as formulas.")
    ] = False,
) -> StreamingResponse:
    """Stream all tweets that meet the conditions, as JSON Lines or CSV, which can be imported again, or as Parquet."""
    pieces = await export(r.queries, filters, file_format, CsvForm(is_raw=raw, for_excel=excel))
    name = f'attachment; filename="tweets.{file_format}"'
    return StreamingResponse(pieces, media_type=MEDIA_TYPES[file_format], headers={"content-disposition": name})

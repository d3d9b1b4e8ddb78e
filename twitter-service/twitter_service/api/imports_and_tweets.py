"""HTTP: imports, tweets, the feed and scoring."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from opentelemetry import propagate

from castor_chassis import (
    Identifier,
    Ok,
    Overloaded,
    Page,
    Principal,
    Text,
    current_request,
    errors_of,
    ok,
    page,
    require,
)
from twitter_service.api.filters import Wanted
from twitter_service.api.resources import R
from twitter_service.api.schemas.tweets import (
    Erasure,
    ErasureRequest,
    FeedItem,
    Import,
    ScoreProgress,
    Tweet,
    TweetCursor,
    TweetId,
)
from twitter_service.api.upload import upload
from twitter_service.errors import (
    BrokenGzip,
    EmptyImport,
    EntityNotFound,
    ImportDiffers,
    ImportNotFound,
    MissingColumns,
    NotUtf8,
    TweetNotFound,
    UnpackedTooLarge,
    UploadBroken,
)
from twitter_service.imports.file_reader import Format
from twitter_service.imports.importer import ImportOrder
from twitter_service.imports.repository import Origin

router = APIRouter(prefix="/v1/twitter", tags=["twitter"])

_FILE = {"schema": {"type": "string", "format": "binary"}}
_FILES = {"text/csv": _FILE, "application/x-ndjson": _FILE, "application/gzip": _FILE}
_FILE_BODY = {"requestBody": {"required": True, "content": _FILES}}


async def large_body(request: Request) -> None:
    """Allow this route the size of a file instead of that of a JSON body."""
    request.scope["castor_max_body_bytes"] = request.app.state.chassis.settings.import_max_bytes


async def origin() -> Origin:
    """Return the ids under which the work that this request starts goes on."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    info = current_request()
    return Origin(info.request_id if info else None, carrier.get("traceparent"))


@router.post(
    "/imports",
    status_code=201,
    dependencies=[Depends(large_body)],
    openapi_extra=_FILE_BODY,
    responses=errors_of(
        EmptyImport, NotUtf8, MissingColumns, BrokenGzip, UnpackedTooLarge, UploadBroken, ImportDiffers, Overloaded
    ),
)
async def import_file(
    request: Request,
    r: R,
    _: Annotated[Principal, Depends(require("tweets:write"))],
    begun_by: Annotated[Origin, Depends(origin)],
    file_format: Annotated[Format | None, Query(alias="format", description="Recognised when left out.")] = None,
    filename: Annotated[Text | None, Query(max_length=255)] = None,
    track_authors: Annotated[
        bool, Query(description="Authors become entities where the file speaks of nobody tracked.")
    ] = False,
    resume: Annotated[bool, Query(description="Go on where an import of the same file broke off.")] = True,
) -> Ok[Import]:
    """Take in a CSV (id, username, created_at, text) or JSON Lines file (X API v2 tweets, twarc pages), also gzip."""
    length = request.headers.get("content-length", "")
    order = ImportOrder(
        file_format, filename, track_authors, begun_by, resume, int(length) if length.isdigit() else None
    )
    import_id = await r.importer.run(upload(request), order)
    return ok(Import.model_validate(await r.imports.get(import_id)))


@router.get("/imports")
async def list_imports(
    r: R,
    _: Annotated[Principal, Depends(require("tweets:read"))],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Page[Import]:
    """List the latest imports, newest first: those under way, done and failed."""
    return page([Import.model_validate(row) for row in await r.imports.latest(limit)])


@router.get("/imports/{import_id}", responses=errors_of(ImportNotFound))
async def get_import(
    import_id: Identifier, r: R, _: Annotated[Principal, Depends(require("tweets:read"))]
) -> Ok[Import]:
    """Return what became of a file, or how far it is."""
    return ok(Import.model_validate(await r.imports.get(import_id)))


@router.get("/tweets", responses=errors_of(EntityNotFound))
async def list_tweets(
    r: R,
    _: Annotated[Principal, Depends(require("tweets:read"))],
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: TweetCursor | None = None,
) -> Page[Tweet]:
    """List tweets, newest first."""
    rows, next_cursor = await r.reader.tweets(replace(wanted, limit=limit), cursor)
    return page([Tweet.of(row) for row in rows], next_cursor=next_cursor)


@router.get("/tweets/feed", responses=errors_of(Overloaded))
async def read_feed(
    r: R,
    _: Annotated[Principal, Depends(require("feed:read"))],
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="meta.next_cursor of the last page; 0: all.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for a change where there is none.")] = 0,
) -> Page[FeedItem]:
    """Return the latest change of each tweet that changed after a number, in order; keep meta.next_cursor."""
    items = [FeedItem.of(row) for row in await r.feed.page(after, limit, wait)]
    return page(items, next_cursor=str(items[-1].seq if items else after), at_end=len(items) < limit)


@router.get("/tweets/{tweet_id}", responses=errors_of(TweetNotFound))
async def get_tweet(tweet_id: TweetId, r: R, _: Annotated[Principal, Depends(require("tweets:read"))]) -> Ok[Tweet]:
    """Return one tweet."""
    return ok(Tweet.of(await r.reader.tweet(tweet_id)))


@router.post("/erasures")
async def erase_tweets(
    body: ErasureRequest, r: R, _: Annotated[Principal, Depends(require("tweets:write"))]
) -> Ok[Erasure]:
    """Erase tweets that their authors deleted; the feed tells every consumer."""
    erased, unknown = await r.reader.erase(body.ids)
    r.feed.look()
    return ok(Erasure(erased=erased, unknown=unknown))


@router.get("/scores/progress")
async def score_progress(r: R, _: Annotated[Principal, Depends(require("tweets:read"))]) -> Ok[ScoreProgress]:
    """Return how many tweets have their sentiment, and how many pairs of a tweet and an entity wait for theirs."""
    return ok(ScoreProgress.of(await r.tweets.state(), await r.targets.pending()))

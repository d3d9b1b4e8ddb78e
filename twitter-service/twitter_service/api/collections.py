"""HTTP: collections, searches that are kept up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Query as QueryParameter

from castor_chassis import Ok, Page, Principal, errors_of, ok, page, require
from twitter_service.api.resources import R
from twitter_service.api.schemas.collections import CollectionChange, CollectionState, NewCollection
from twitter_service.api.schemas.fields import EntityId
from twitter_service.api.schemas.searches import SearchCursor, XSearch, search_cursor, search_position
from twitter_service.errors import CollectionExists, CollectionNotFound, EntityNotFound
from twitter_service.x.errors import EmptySearch, EmptyTerm, QueryTooLong, XNotConfigured

router = APIRouter(prefix="/v1/twitter/collections", tags=["collections"])

CanWrite = Annotated[Principal, Depends(require("tweets:write"))]
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@router.post(
    "",
    status_code=201,
    responses=errors_of(CollectionExists, EmptySearch, EmptyTerm, QueryTooLong, EntityNotFound, XNotConfigured),
)
async def create_collection(body: NewCollection, r: R, principal: CanWrite) -> Ok[CollectionState]:
    """Keep a search up: read it on a schedule, or follow it with the stream, whose disconnects are filled by search."""
    return ok(CollectionState.of(await r.collections.create(body.collection(), principal.label)))


@router.get("")
async def list_collections(
    r: R, _: CanRead, limit: Limit = 50, cursor: EntityId | None = None
) -> Page[CollectionState]:
    """List collections in order of id."""
    found = await r.collections.find(cursor or "", limit + 1)
    items = [CollectionState.of(collection) for collection in found[:limit]]
    return page(items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{collection_id}", responses=errors_of(CollectionNotFound))
async def get_collection(collection_id: EntityId, r: R, _: CanRead) -> Ok[CollectionState]:
    """Return a collection and how far it is."""
    return ok(CollectionState.of(await r.collections.get(collection_id)))


@router.get("/{collection_id}/searches", responses=errors_of(CollectionNotFound))
async def list_collection_searches(
    collection_id: EntityId, r: R, _: CanRead, limit: Limit = 50, cursor: SearchCursor | None = None
) -> Page[XSearch]:
    """List the runs of a collection and the fillings of its gaps, newest first."""
    await r.collections.get(collection_id)
    jobs = await r.searches.find(collection_id, search_position(cursor), limit + 1)
    return page([XSearch.of(job) for job in jobs[:limit]], next_cursor=search_cursor(jobs, limit))


@router.patch("/{collection_id}", responses=errors_of(CollectionNotFound))
async def change_collection(collection_id: EntityId, body: CollectionChange, r: R, _: CanWrite) -> Ok[CollectionState]:
    """Let a collection rest, or go on from where it was."""
    return ok(CollectionState.of(await r.collections.enable(collection_id, body.enabled)))


@router.delete("/{collection_id}", responses=errors_of(CollectionNotFound))
async def delete_collection(collection_id: EntityId, r: R, _: CanWrite) -> Ok[CollectionState]:
    """Delete a collection and what it has not read yet. The tweets that it brought stay."""
    return ok(CollectionState.of(await r.collections.delete(collection_id)))

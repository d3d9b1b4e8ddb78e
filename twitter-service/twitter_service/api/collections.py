"""HTTP: collections, searches that are kept up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Query as QueryParameter

from castor_chassis import (
    IdempotencyInFlight,
    Ok,
    Once,
    Order,
    Page,
    Paged,
    Principal,
    SinceQuery,
    UntilQuery,
    check_span,
    errors_of,
    ok,
    require,
)
from twitter_service.api.resources import R, org_of, payer_of
from twitter_service.api.schemas.collections import CollectionChange, CollectionState, NewCollection
from twitter_service.api.schemas.fields import EntityId
from twitter_service.api.schemas.searches import NEWEST_SEARCH, XSearch
from twitter_service.errors import CollectionExists, CollectionNotFound, EntityNotFound
from twitter_service.x.errors import EmptySearch, EmptyTerm, QueryTooLong, XNotConfigured

router = APIRouter(prefix="/v1/twitter/collections", tags=["collections"])

CanWrite = Annotated[Principal, Depends(require("tweets:write"))]
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
_BY_ID = Order(tuple[EntityId], lambda one: (one.id,))


@router.post(
    "",
    status_code=201,
    responses=errors_of(
        CollectionExists, EmptySearch, EmptyTerm, QueryTooLong, EntityNotFound, XNotConfigured, IdempotencyInFlight
    ),
)
async def create_collection(body: NewCollection, r: R, principal: CanWrite, _once: Once) -> Ok[CollectionState]:
    """Keep a search up: read it on a schedule, or follow it with the stream, whose disconnects are filled by search."""
    return ok(CollectionState.of(await r.collections.create(body.collection(), payer_of(principal, body.purpose))))


@router.get("")
async def list_collections(r: R, principal: CanRead, cursor: Paged, limit: Limit = 50) -> Page[CollectionState]:
    """List one's organisation's collections in order of id."""
    (after,) = cursor.after(_BY_ID) or ("",)
    found = await r.collections.find(org_of(principal), after, limit + 1)
    return cursor.page(found, limit, _BY_ID, CollectionState.of)


@router.get("/{collection_id}", responses=errors_of(CollectionNotFound))
async def get_collection(collection_id: EntityId, r: R, principal: CanRead) -> Ok[CollectionState]:
    """Return a collection and how far it is."""
    return ok(CollectionState.of(await r.collections.get(org_of(principal), collection_id)))


@router.get("/{collection_id}/searches", responses=errors_of(CollectionNotFound))
async def list_collection_searches(
    collection_id: EntityId,
    r: R,
    principal: CanRead,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Limit = 50,
) -> Page[XSearch]:
    """List the runs of a collection and the fillings of its gaps by when they were due, newest first."""
    check_span(since, until)
    collection = await r.collections.get(org_of(principal), collection_id)
    after = cursor.after(NEWEST_SEARCH)
    jobs = await r.searches.find(collection.org, collection.key, after, limit + 1, (since, until))
    return cursor.page(jobs, limit, NEWEST_SEARCH, XSearch.of)


@router.patch("/{collection_id}", responses=errors_of(CollectionNotFound))
async def change_collection(
    collection_id: EntityId, body: CollectionChange, r: R, principal: CanWrite
) -> Ok[CollectionState]:
    """Let a collection rest, or go on from where it was."""
    return ok(CollectionState.of(await r.collections.enable(org_of(principal), collection_id, body.enabled)))


@router.delete("/{collection_id}", responses=errors_of(CollectionNotFound))
async def delete_collection(collection_id: EntityId, r: R, principal: CanWrite) -> Ok[CollectionState]:
    """Delete a collection and what it has not read yet. The tweets that it brought stay."""
    return ok(CollectionState.of(await r.collections.delete(org_of(principal), collection_id)))

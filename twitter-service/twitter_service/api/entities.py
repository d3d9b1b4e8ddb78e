"""HTTP: tracked entities."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import IdempotencyInFlight, Ok, Once, Order, Page, Paged, Principal, errors_of, ok, require
from twitter_service.api.filters import Dataset
from twitter_service.api.resources import R
from twitter_service.api.schemas.entities import Entity, EntityChange, NewEntity
from twitter_service.api.schemas.fields import EntityId
from twitter_service.errors import DatasetNotFound, EntityExists, EntityNotFound, TooManyEntities

router = APIRouter(prefix="/v1/twitter/entities", tags=["entities"])
CanWrite = Annotated[Principal, Depends(require("entities:write"))]
_BY_ID = Order(tuple[EntityId], lambda one: (one.id,))
CanRead = Annotated[Principal, Depends(require("tweets:read", "counts:read"))]


@router.get("", responses=errors_of(DatasetNotFound))
async def list_entities(
    r: R, _: CanRead, cursor: Paged, dataset: Dataset = None, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Page[Entity]:
    """List all tracked entities, or those of a data set, in order of id."""
    await r.datasets.check(dataset)
    return cursor.page_of(await r.entities.all(dataset), limit, _BY_ID, Entity.of)


@router.post("", status_code=201, responses=errors_of(EntityExists, TooManyEntities, IdempotencyInFlight))
async def create_entity(body: NewEntity, r: R, _: CanWrite, _once: Once) -> Ok[Entity]:
    """Track an entity; stored tweets are matched in the background and then show up in the feed again."""
    return ok(Entity.of(await r.entities.create(body.entity())))


@router.get("/{entity_id}", responses=errors_of(EntityNotFound))
async def get_entity(entity_id: EntityId, r: R, _: CanRead) -> Ok[Entity]:
    """Return one entity."""
    return ok(Entity.of(await r.entities.get(entity_id)))


@router.patch("/{entity_id}", responses=errors_of(EntityNotFound))
async def change_entity(entity_id: EntityId, body: EntityChange, r: R, _: CanWrite) -> Ok[Entity]:
    """Change an entity; new terms are matched against stored tweets in the background."""
    changed = await r.entities.change(entity_id, body.changes())
    return ok(Entity.of(changed))


@router.delete("/{entity_id}", responses=errors_of(EntityNotFound))
async def delete_entity(entity_id: EntityId, r: R, _: CanWrite) -> Ok[Entity]:
    """Stop tracking an entity; stored tweets lose it in the background."""
    return ok(Entity.of(await r.entities.delete(entity_id)))

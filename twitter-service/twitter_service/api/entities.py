"""HTTP: tracked entities and their daily counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Ok, Page, Principal, Timestamp, errors_of, ok, page, require
from twitter_service.api.filters import WantedCounts
from twitter_service.api.resources import R
from twitter_service.api.schemas.tweets import DailyCount, Day, Entity, EntityChange, EntityId, NewEntity, TotalCount
from twitter_service.errors import EntityExists, EntityNotFound, TooManyEntities

router = APIRouter(prefix="/v1/twitter", tags=["entities"])
CanWrite = Annotated[Principal, Depends(require("entities:write"))]
CanRead = Annotated[Principal, Depends(require("tweets:read"))]


@router.get("/entities")
async def list_entities(r: R, _: CanRead) -> Page[Entity]:
    """List all tracked entities."""
    return page([Entity.model_validate(row) for row in await r.entities.entities()])


@router.post("/entities", status_code=201, responses=errors_of(EntityExists, TooManyEntities))
async def create_entity(body: NewEntity, r: R, _: CanWrite) -> Ok[Entity]:
    """Track an entity; stored tweets are matched in the background and then show up in the feed again."""
    row = await r.entities.create(body.values())
    r.rematcher.ask()
    return ok(Entity.model_validate(row))


@router.get("/entities/{entity_id}", responses=errors_of(EntityNotFound))
async def get_entity(entity_id: EntityId, r: R, _: CanRead) -> Ok[Entity]:
    """Return one entity."""
    return ok(Entity.model_validate(await r.entities.entity(entity_id)))


@router.patch("/entities/{entity_id}", responses=errors_of(EntityNotFound))
async def change_entity(entity_id: EntityId, body: EntityChange, r: R, _: CanWrite) -> Ok[Entity]:
    """Change an entity; new terms are matched against stored tweets in the background."""
    row = await r.entities.change(entity_id, body.values())
    r.rematcher.ask()
    return ok(Entity.model_validate(row))


@router.delete("/entities/{entity_id}", responses=errors_of(EntityNotFound))
async def delete_entity(entity_id: EntityId, r: R, _: CanWrite) -> Ok[Entity]:
    """Stop tracking an entity; stored tweets lose it in the background."""
    row = await r.entities.delete(entity_id)
    r.rematcher.ask()
    return ok(Entity.model_validate(row))


@router.get("/counts/total")
async def total_counts(
    r: R,
    _: Annotated[Principal, Depends(require("counts:read"))],
    since: Annotated[Day | None, Query(description="First day (a moment: its Bogota day).")] = None,
    until: Annotated[Day | None, Query(description="Last day, inclusive.")] = None,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had been written.")] = None,
) -> Ok[TotalCount]:
    """Return tweets and sentiment of all tweets of a span, tracked or not."""
    return ok(TotalCount.model_validate(await r.reader.total(since, until, as_of)))


@router.get("/counts/daily", responses=errors_of(EntityNotFound))
async def daily_counts(
    r: R,
    _: Annotated[Principal, Depends(require("counts:read"))],
    wanted: WantedCounts,
) -> Page[DailyCount]:
    """Return tweets and sentiment by day of America/Bogota and entity; days without any tweet are gaps."""
    rows, next_cursor = await r.reader.counts(wanted)
    return page([DailyCount.model_validate(row) for row in rows], next_cursor=next_cursor)

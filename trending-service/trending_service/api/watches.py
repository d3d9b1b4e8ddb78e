"""Routes of watches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status

from castor_chassis import Conflict, NotFound, Ok, Page, Principal, errors_of, ok, page, require
from trending_service.api.resources import R
from trending_service.api.schemas.watches import (
    Deleted,
    Queued,
    Watch,
    WatchEvent,
    WatchRequest,
    WatchWithSecret,
)
from trending_service.watches.model import Status
from trending_service.watches.model import Watch as StoredWatch

router = APIRouter(prefix="/v1/trending/watches", tags=["watches"])
Owner = Annotated[Principal, Depends(require("watches:write"))]
WatchId = Annotated[str, Path(pattern=r"^w_[0-9a-f]{24}$")]
Seq = Annotated[int, Path(ge=1, le=2**62)]


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors_of(Conflict))
async def create_watch(body: WatchRequest, r: R, owner: Owner) -> Ok[WatchWithSecret]:
    """Ask to be told. Not idempotent: a request sent twice makes two watches."""
    return ok(_with_secret(*await r.watches.add(owner.label, body.record())))


@router.get("")
async def list_watches(r: R, owner: Owner) -> Page[Watch]:
    """List one's own watches, oldest first."""
    return page([_watch(watch) for watch in await r.watches.of(owner.label)])


@router.get("/{watch_id}", responses=errors_of(NotFound))
async def get_watch(watch_id: WatchId, r: R, owner: Owner) -> Ok[Watch]:
    """Return one's own watch."""
    return ok(_watch(await r.watches.get(watch_id, owner.label)))


@router.delete("/{watch_id}", responses=errors_of(NotFound))
async def delete_watch(watch_id: WatchId, r: R, owner: Owner) -> Ok[Deleted]:
    """Delete a watch and its events."""
    await r.watches.remove(watch_id, owner.label)
    return ok(Deleted(deleted=watch_id))


@router.post("/{watch_id}/test", status_code=status.HTTP_202_ACCEPTED, responses=errors_of(NotFound))
async def test_watch(watch_id: WatchId, r: R, owner: Owner) -> Ok[WatchEvent]:
    """Send a test message, whatever the quiet hours are; look at its status in the events."""
    return ok(_event(await r.watches.test(watch_id, owner.label)))


@router.post("/{watch_id}/secret", responses=errors_of(NotFound, Conflict))
async def rotate_watch_secret(watch_id: WatchId, r: R, owner: Owner) -> Ok[WatchWithSecret]:
    """Make a new signing secret; for 24 hours messages are signed with the one before as well."""
    return ok(_with_secret(*await r.watches.rotate(watch_id, owner.label)))


@router.get("/{watch_id}/events", responses=errors_of(NotFound))
async def list_watch_events(
    watch_id: WatchId,
    r: R,
    owner: Owner,
    after: Annotated[int, Query(ge=0, le=2**62, description="Events with a higher seq.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    event_status: Annotated[
        Status | None, Query(alias="status", description="Only these; 'dead' lists what never arrived.")
    ] = None,
) -> Page[WatchEvent]:
    """List the events of a watch, oldest first, with how far their delivery is."""
    found = await r.watches.events(watch_id, owner.label, after, limit, event_status)
    return page([_event(event) for event in found])


@router.post("/{watch_id}/events/{seq}/retry", status_code=status.HTTP_202_ACCEPTED, responses=errors_of(NotFound))
async def retry_watch_event(watch_id: WatchId, seq: Seq, r: R, owner: Owner) -> Ok[Queued]:
    """Send a dead event again."""
    await r.watches.revive(watch_id, owner.label, seq)
    return ok(Queued(queued=seq))


def _watch(watch: StoredWatch) -> Watch:
    return Watch.model_validate(watch, from_attributes=True)


def _event(event: object) -> WatchEvent:
    return WatchEvent.model_validate(event, from_attributes=True)


def _with_secret(watch: StoredWatch, secret: str | None) -> WatchWithSecret:
    return WatchWithSecret(watch=_watch(watch), secret=secret)

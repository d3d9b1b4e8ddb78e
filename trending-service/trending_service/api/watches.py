"""Routes of watches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status

from castor_chassis import (
    Conflict,
    IdempotencyInFlight,
    NotFound,
    Ok,
    Once,
    Order,
    Page,
    Paged,
    Pattern,
    Principal,
    Row,
    SinceQuery,
    Text,
    Timestamp,
    UntilQuery,
    check_span,
    errors_of,
    ok,
    require,
)
from trending_service.api.resources import R
from trending_service.api.schemas.watches import (
    Deleted,
    Queued,
    Watch,
    WatchEvent,
    WatchRequest,
    WatchWithSecret,
)
from trending_service.watches.model import EventFilter, Status
from trending_service.watches.model import Watch as StoredWatch
from trending_service.watches.service import MOST_PER_OWNER

router = APIRouter(prefix="/v1/trending/watches", tags=["watches"])
Owner = Annotated[Principal, Depends(require("watches:write"))]
WatchId = Annotated[str, Pattern(r"^w_[0-9a-f]{24}$", "must be an id such as w_0123456789abcdef01234567"), Path()]
Seq = Annotated[int, Path(ge=1, le=2**62)]
_WATCHES = Order(tuple[Timestamp, Text], lambda watch: (watch.created_at, watch.id))
_EVENTS = Order(tuple[Row], lambda event: (event.seq,))


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors_of(Conflict, IdempotencyInFlight))
async def create_watch(body: WatchRequest, r: R, owner: Owner, _once: Once) -> Ok[WatchWithSecret]:
    """Ask to be told. Idempotent with an Idempotency-Key; without one a request sent twice makes two watches."""
    return ok(_with_secret(*await r.watches.add(owner.label, body.record())))


@router.get("")
async def list_watches(
    r: R, owner: Owner, cursor: Paged, limit: Annotated[int, Query(ge=1, le=MOST_PER_OWNER)] = MOST_PER_OWNER
) -> Page[Watch]:
    """List one's own watches, oldest first."""
    return cursor.page_of(await r.watches.of(owner.label), limit, _WATCHES, _watch)


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


@router.post("/{watch_id}/secret", responses=errors_of(NotFound, Conflict, IdempotencyInFlight))
async def rotate_watch_secret(watch_id: WatchId, r: R, owner: Owner, _once: Once) -> Ok[WatchWithSecret]:
    """Make a new signing secret; for 24 hours messages are signed with the one before as well.

    Idempotent with an Idempotency-Key; without one a request sent twice makes two, and the secret in use ends at once.
    """
    return ok(_with_secret(*await r.watches.rotate(watch_id, owner.label)))


@router.get("/{watch_id}/events", responses=errors_of(NotFound))
async def list_watch_events(
    watch_id: WatchId,
    r: R,
    owner: Owner,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    after: Annotated[
        int, Query(ge=0, le=2**62, description="Events with a higher seq; use cursor.", deprecated=True)
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    event_status: Annotated[
        Status | None, Query(alias="status", description="Only these; 'dead' lists what never arrived.")
    ] = None,
) -> Page[WatchEvent]:
    """List the events of a watch, oldest first, with how far their delivery is."""
    check_span(since, until)
    (last,) = cursor.after(_EVENTS) or (after,)
    wanted = EventFilter(last, limit + 1, event_status, since, until)
    found = await r.watches.events(watch_id, owner.label, wanted)
    return cursor.page(found, limit, _EVENTS, _event)


@router.post("/{watch_id}/events/{seq}/retry", status_code=status.HTTP_202_ACCEPTED, responses=errors_of(NotFound))
async def retry_watch_event(watch_id: WatchId, seq: Seq, r: R, owner: Owner) -> Ok[Queued]:
    """Send a dead event again, with the others of its digest: the message has the same id and content."""
    await r.watches.revive(watch_id, owner.label, seq)
    return ok(Queued(queued=seq))


def _watch(watch: StoredWatch) -> Watch:
    return Watch.model_validate(watch, from_attributes=True)


def _event(event: object) -> WatchEvent:
    return WatchEvent.model_validate(event, from_attributes=True)


def _with_secret(watch: StoredWatch, secret: str | None) -> WatchWithSecret:
    return WatchWithSecret(watch=_watch(watch), secret=secret)

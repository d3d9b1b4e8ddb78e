"""Routes that push: starts, peaks and ends of trends, and the events of a watch, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from castor_chassis import (
    SINCE,
    UNTIL,
    NotFound,
    Order,
    Page,
    Paged,
    Pattern,
    Row,
    Since,
    Until,
    check_span,
    current_request,
    errors_of,
    normal_time,
)
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.fields import Entity, Place, scopes_of
from trending_service.api.schemas.trends import Trend
from trending_service.api.watches import Owner, WatchId
from trending_service.errors import ScopeNotFound
from trending_service.topics.service import moment
from trending_service.watches.model import EventFilter

router = APIRouter(prefix="/v1/trending", tags=["trending"])
STREAM_PATH = "/v1/trending/stream"
POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
_TRENDS = Order(tuple[Row], lambda trend: (trend.id,))
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": _EVENT}}}
}
LastEventId = Annotated[
    Annotated[str, Pattern(r"^[0-9]{1,18}$", "must be the id of an event, a number")] | None,
    Header(alias="Last-Event-ID", description="Go on after this event."),
]


class _Numbered(Protocol):
    """An event with its number."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> dict[str, Any]: ...


@router.get("/history", responses=errors_of(ScopeNotFound))
async def list_trend_history(
    r: R,
    _: CanRead,
    since: Annotated[Since, Query(description=f"Trends that went on then or later. {SINCE}")],
    until: Annotated[Until, Query(description=f"Trends that started before. {UNTIL}")],
    cursor: Paged,
    place: Place = None,
    entity: Entity = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[Trend]:
    """List trends of a period as they were followed; what came before the service ran: ask for topics with as_of."""
    check_span(since, until)
    scopes = scopes_of(place, entity)
    scope = "|".join(scopes)
    (after,) = cursor.after(_TRENDS) or (0,)
    span = moment(since, "query.since"), moment(until, "query.until")
    found = await r.trends.between(*span, scope, after, limit + 1)
    if not found:
        await r.topics.check_scopes(scopes)
    return cursor.page(found, limit, _TRENDS, lambda one: Trend.model_validate(one, from_attributes=True))


@router.get("/stream", response_model=None, response_class=StreamingResponse, responses=_ANSWER)
async def stream_trends(
    r: R, _: CanRead, last_event_id: LastEventId = None, place: Place = None, entity: Entity = None
) -> StreamingResponse:
    """Push starts, peaks and ends of trends as they happen; a place or an entity only where it is watched."""
    scope = "|".join(scopes_of(place, entity))
    after = int(last_event_id) if last_event_id else await r.trends.last_event()
    return _streaming(after, lambda seq: r.trends.events_after(seq, scope))


@router.get(
    "/watches/{watch_id}/stream", response_model=None, response_class=StreamingResponse,
    responses={**_ANSWER, **errors_of(NotFound)},
)  # fmt: skip
async def stream_watch_events(
    watch_id: WatchId, r: R, owner: Owner, last_event_id: LastEventId = None
) -> StreamingResponse:
    """Push the events of one's own watch, from its first or after Last-Event-ID."""
    await r.watches.get(watch_id, owner.label)
    after = int(last_event_id) if last_event_id else 0
    return _streaming(after, lambda seq: r.watches.events(watch_id, owner.label, EventFilter(after=seq)))


def _streaming(after: int, read: Callable[[int], Awaitable[Sequence[_Numbered]]]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(after, read), media_type="text/event-stream", headers=headers)


def _is_late() -> bool:
    # It ends by itself before its deadline, so that no client sees a broken answer; the client comes again.
    info = current_request()
    if info is None or info.deadline is None:
        return False
    return asyncio.get_running_loop().time() + 2 * POLL_SECONDS > info.deadline


async def _events(after: int, read: Callable[[int], Awaitable[Sequence[_Numbered]]]) -> AsyncIterator[str]:
    yield f"retry: {int(POLL_SECONDS * 1000)}\n\n"
    quiet = 0.0
    while not _is_late():
        found = await read(after)
        for event in found:
            after = event.seq
            data = json.dumps({"at": normal_time(event.at), **event.body}, ensure_ascii=False)
            yield f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n"
        quiet = 0.0 if found else quiet + POLL_SECONDS
        if quiet >= HEARTBEAT_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(POLL_SECONDS)

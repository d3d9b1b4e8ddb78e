"""A service with one route of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import (
    ApiKeyVerifier,
    Chassis,
    Conflict,
    IdempotencyInFlight,
    Identifier,
    Integer,
    KeySource,
    Ok,
    Once,
    Principal,
    RequestModel,
    ResponseModel,
    ServiceSettings,
    Timestamp,
    create_service,
    current_request,
    errors_of,
    ok,
    public,
    require,
)

router = APIRouter(prefix="/v1/small", tags=["small"])
internal = APIRouter(prefix="/internal", tags=["internal"])


class SmallSettings(ServiceSettings):
    """Settings of the small service."""

    service_name: ClassVar[str] = "small-service"


class Number(RequestModel):
    """A request."""

    value: Integer
    at: Timestamp | None = None


class Thing(ResponseModel):
    """What was created."""

    id: str


class Echo(ResponseModel):
    """An answer."""

    value: int
    caller: str
    request_id: str


@router.post("/echo/{name}")
async def echo_number(name: str, body: Number, who: Annotated[Principal, Depends(require("small:write"))]) -> Ok[Echo]:
    """Return what was sent."""
    info = current_request()
    assert info is not None
    assert name
    return ok(Echo(value=body.value, caller=who.label, request_id=info.request_id))


@router.get("/echo/{name}")
async def read_name(name: str, request: Request, _: Annotated[Principal, Depends(require("small:read"))]) -> Ok[str]:
    """Return the name, after ``app.state.before_answer`` where a test gives it."""
    await getattr(request.app.state, "before_answer", asyncio.sleep)(0)
    return ok(name)


@router.post("/things", status_code=201)
async def create_thing(
    body: Number,
    _: Annotated[Principal, Depends(require("small:write"))],
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Ok[Thing]:
    """Create something; the same key makes the same thing."""
    return ok(Thing(id=idempotency_key or f"thing-{body.value}"))


@router.post("/notes", status_code=201, responses=errors_of(IdempotencyInFlight))
async def create_note(
    body: Number, request: Request, _: Annotated[Principal, Depends(require("small:write"))], _once: Once
) -> Ok[Thing]:
    """Store a note, after ``app.state.before_commit`` where a test gives it; 500 is refused."""
    chassis = request.app.state.chassis
    number = await chassis.postgres.fetchval("INSERT INTO notes (value) VALUES ($1) RETURNING id", body.value)
    await getattr(request.app.state, "before_commit", asyncio.sleep)(0)
    if body.value == 500:
        raise Conflict(reason="not this one")
    return ok(Thing(id=f"note-{number}"))


@router.delete("/things/{thing_id}")
async def delete_thing(thing_id: Identifier, _: Annotated[Principal, Depends(require("small:write"))]) -> Ok[str]:
    """Delete something."""
    return ok(thing_id)


@router.get("/slow", dependencies=[Depends(public("tests need it"))])
async def slow(seconds: float = 1.0) -> Ok[str]:
    """Answer after a while."""
    await asyncio.sleep(seconds)
    return ok("done")


@router.get("/broken", dependencies=[Depends(public("tests need it"))])
async def broken() -> Ok[str]:
    """Fail."""
    raise ZeroDivisionError("a secret detail")


@internal.get("/hidden", dependencies=[Depends(public("tests need it"))])
async def hidden() -> Ok[str]:
    """Be for services only."""
    return ok("hidden")


def create_app(
    settings: SmallSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app."""
    return create_service(
        settings,
        package="small_service",
        version="1.0.0",
        summary="A small service",
        routers=[router, internal],
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(_chassis: Chassis[SmallSettings]) -> AsyncIterator[None]:
    """Need nothing."""
    yield

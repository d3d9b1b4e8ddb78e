"""CPU of one request through the whole chassis, against bare FastAPI and bare Starlette.

The same endpoint (three nested models in and out) is called in process, so that sockets and the client
do not count. Batches of the contestants take turns; the 10th percentile of the batches is compared, since
a shared machine only ever adds time. "Everything on" is: correlation, deadline, load shedding, body limit,
JWT verification, scope check, JSON access log, metrics, and traces of which 1 % are recorded.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

import orjson
import uvloop
from fastapi import APIRouter, Depends, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from castor_chassis import Ok, Principal, RequestModel, ResponseModel, ServiceSettings, create_service, ok, require
from castor_chassis.observability.logging import configure_logging
from castor_chassis.testing import TokenIssuer
from castor_chassis.tls import PeerIdentity

BODY = orjson.dumps(
    {
        "query": "seguridad en Bogotá",
        "window": {"since": "2026-05-01", "until": "2026-05-31"},
        "entities": [{"id": "ana", "weight": 0.5}, {"id": "luis", "weight": 0.25}, {"id": "eva", "weight": 0.25}],
    }
)
ROUNDS, BATCH = 60, 200
App = Callable[[Any, Any, Any], Awaitable[None]]


class Window(RequestModel):
    """Part of the request."""

    since: str
    until: str


class Entity(BaseModel):
    """Part of the request and of the answer."""

    id: str
    weight: float


class Query(RequestModel):
    """The request."""

    query: str
    window: Window
    entities: list[Entity]


class Answer(ResponseModel):
    """The answer."""

    query: str
    entities: list[Entity]
    total: float


def answer(query: Query) -> Answer:
    """What the endpoint computes."""
    return Answer(query=query.query, entities=query.entities, total=sum(entity.weight for entity in query.entities))


def starlette_app() -> App:
    """Return bare Starlette: JSON in, JSON out, no validation."""

    async def endpoint(request: Request) -> JSONResponse:
        body = await request.json()
        total = sum(entity["weight"] for entity in body["entities"])
        return JSONResponse({"query": body["query"], "entities": body["entities"], "total": total})

    return Starlette(routes=[Route("/v1/bench/query", endpoint, methods=["POST"])])


def fastapi_app() -> App:
    """Return bare FastAPI with the same models."""
    app = FastAPI()

    @app.post("/v1/bench/query")
    async def endpoint(query: Query) -> Answer:
        return answer(query)

    return app


class BenchSettings(ServiceSettings):
    """Settings of the measured service."""

    service_name: ClassVar[str] = "bench-service"


def chassis_app(issuer: TokenIssuer, redis_url: str | None = None) -> FastAPI:
    """Return the same endpoint on the chassis."""
    router = APIRouter(prefix="/v1/bench")

    @router.post("/query")
    async def endpoint(query: Query, _: Annotated[Principal, Depends(require("bench:read"))]) -> Ok[Answer]:
        return ok(answer(query))

    @asynccontextmanager
    async def start(_chassis: Any) -> AsyncIterator[None]:
        yield

    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(0.01)))
    provider.add_span_processor(BatchSpanProcessor(_Discard()))
    settings = BenchSettings.model_construct(redis_url=redis_url, rate_limit="1000000000/minute")
    return create_service(
        settings, package="bench", version="1", summary="bench", routers=[router], start=start, keys=issuer,
        tracer_provider=provider,
    )  # fmt: skip


class _Discard(SpanExporter):
    def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
        return SpanExportResult.SUCCESS


def scope(token: str | None, peer: PeerIdentity) -> dict[str, Any]:
    """Return an ASGI scope as our server makes it."""
    headers = [(b"host", b"x"), (b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
        "path": "/v1/bench/query", "raw_path": b"/v1/bench/query", "query_string": b"", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        "state": {"tls_peer": peer, "connected_at": time.monotonic()},
    }  # fmt: skip


async def call(app: App, base: dict[str, Any]) -> None:
    """Make one request and insist on its success."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({**base, "state": dict(base["state"])}, receive, send)
    assert sent[0]["status"] == 200, sent


async def measure(contestants: dict[str, tuple[App, dict[str, Any]]]) -> dict[str, float]:
    """Return the microseconds of CPU per request of each."""
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (app, base) in contestants.items():
            started = time.thread_time()
            for _ in range(BATCH):
                await call(app, base)
            samples[name].append((time.thread_time() - started) / BATCH * 1e6)
    return {name: statistics.quantiles(values, n=10)[0] for name, values in samples.items()}


async def run() -> dict[str, float]:
    """Measure all contestants in one run."""
    issuer = TokenIssuer()
    peer = PeerIdentity("spiffe://castor/twitter-service", time.time() + 3600, "thumb")
    token = issuer.service_token("twitter-service", "bench-service", ["bench:read"], "thumb")
    service = chassis_app(issuer)
    async with service.router.lifespan_context(service):
        return await measure(
            {
                "bare Starlette": (starlette_app(), scope(None, peer)),
                "bare FastAPI": (fastapi_app(), scope(None, peer)),
                "chassis, everything on": (service, scope(token, peer)),
            }
        )


def main() -> None:
    """Print the table."""
    quiet, kept = os.open(os.devnull, os.O_WRONLY), os.dup(1)
    os.dup2(quiet, 1)  # the access log is written for real, to nowhere
    configure_logging("bench-service", "INFO")
    try:
        result = uvloop.run(run())
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
    starlette, fastapi = result["bare Starlette"], result["bare FastAPI"]
    print(f"{'':26}{'CPU us':>8}{'x Starlette':>13}{'x FastAPI':>11}")
    for name, value in result.items():
        print(f"{name:26}{value:8.0f}{value / starlette:13.2f}{value / fastapi:11.2f}")

"""The apps that ``bench chassis`` compares, each run in a process of its own.

    python -m bench.chassis.apps NAME OTHER_ROUTES

For every line of stdin the process makes a batch of requests to its app and prints the microseconds of its own CPU per
request. The app is called in process, so that sockets and the client do not count. Access logs are written for real,
to nowhere; spans that are recorded go through a batch processor to nowhere.
"""

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from itertools import cycle, islice
from typing import Annotated, Any, ClassVar

import orjson
import uvloop
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

BODY = orjson.dumps(
    {
        "query": "seguridad en Bogotá",
        "window": {"since": "2026-05-01", "until": "2026-05-31"},
        "entities": [{"id": "ana", "weight": 0.5}, {"id": "luis", "weight": 0.25}, {"id": "eva", "weight": 0.25}],
    }
)
BATCH = 200
CALLER, AUDIENCE = "twitter-service", "bench-service"
App = Callable[[Any, Any, Any], Awaitable[None]]
request_id: ContextVar[str] = ContextVar("request_id")


class Window(BaseModel):
    """Part of the request."""

    since: str
    until: str


class Entity(BaseModel):
    """Part of the request and of the answer."""

    id: str
    weight: float


class Query(BaseModel):
    """The request."""

    query: str
    window: Window
    entities: list[Entity]


class Answer(BaseModel):
    """The answer."""

    query: str
    entities: list[Entity]
    total: float


def answer(query: Query) -> Answer:
    """What the endpoint computes."""
    return Answer(query=query.query, entities=query.entities, total=sum(entity.weight for entity in query.entities))


class Discard(SpanExporter):
    """A collector that takes everything at once."""

    def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
        """Succeed."""
        return SpanExportResult.SUCCESS


def provider_of(share: float) -> TracerProvider:
    """Return a provider that records ``share`` of the traces."""
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)))
    provider.add_span_processor(BatchSpanProcessor(Discard()))
    return provider


def add_others(router: FastAPI | APIRouter, count: int) -> None:
    """Add routes that stand before the measured one and are never asked."""
    for number in range(count):

        @router.get(f"/v1/bench/other{number}/{{name}}")
        async def other(name: str) -> str:
            return name


def bare(_public_pem: str, others: int) -> FastAPI:
    """FastAPI with the same models, and nothing else."""
    app = FastAPI()
    add_others(app, others)

    @app.post("/v1/bench/query")
    async def endpoint(query: Query) -> Answer:
        return answer(query)

    return app


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's message and extra fields."""
        span = trace.get_current_span().get_span_context()
        return json.dumps(
            {
                "time": self.formatTime(record),
                "level": record.levelname,
                "message": record.getMessage(),
                "request_id": request_id.get(""),
                "trace_id": format(span.trace_id, "032x"),
                **getattr(record, "fields", {}),
            }
        )


class CorrelationId(BaseHTTPMiddleware):
    """Keeps or makes a request id, returns it, and writes the access line."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Handle one request."""
        started = time.perf_counter()
        request_id.set(request.headers.get("x-request-id") or str(uuid.uuid4()))
        response = await call_next(request)
        response.headers["x-request-id"] = request_id.get()
        seconds = time.perf_counter() - started
        fields = {"method": request.method, "path": request.url.path, "status": response.status_code}
        logging.getLogger("access").info("request", extra={"fields": {**fields, "seconds": seconds}})
        return response


def by_readmes(public_pem: str, others: int) -> FastAPI:
    """The same packages, put together as their READMEs show."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from prometheus_fastapi_instrumentator import Instrumentator

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    bearer = HTTPBearer()

    def claims(token: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token.credentials, public_pem, algorithms=["RS256"], audience=AUDIENCE))
        except JWTError as error:
            raise HTTPException(401) from error

    app = FastAPI()
    add_others(app, others)

    @app.post("/v1/bench/query")
    async def endpoint(query: Query, _: Annotated[dict[str, Any], Depends(claims)]) -> Answer:
        return answer(query)

    app.add_middleware(CorrelationId)
    Instrumentator().instrument(app).expose(app)
    trace.set_tracer_provider(provider_of(1.0))
    FastAPIInstrumentor.instrument_app(app)
    return app


class OneKey:
    """The ``KeySource`` of the one key that signs here."""

    def __init__(self, public_pem: str) -> None:
        from jose import jwk

        self._key = jwk.construct(public_pem, "RS256")

    async def key(self, _kid: str) -> Any:
        """Return the key."""
        return self._key


def on_chassis(public_pem: str, others: int, share: float | None = None) -> FastAPI:
    """The same endpoint on the chassis, with ``share`` of the traces recorded, or without traces."""
    from castor_chassis import Ok, Principal, ServiceSettings, create_service, ok, require
    from castor_chassis.service.main import configure_logging, configure_tracing

    class BenchSettings(ServiceSettings):
        service_name: ClassVar[str] = AUDIENCE

    router = APIRouter()
    add_others(router, others)

    @router.post("/v1/bench/query")
    async def endpoint(query: Query, _: Annotated[Principal, Depends(require("bench:read"))]) -> Ok[Answer]:
        return ok(answer(query))

    @asynccontextmanager
    async def start(_chassis: Any) -> AsyncIterator[None]:
        yield

    settings = BenchSettings.model_construct()
    configure_logging(AUDIENCE, "INFO")
    configure_tracing(settings)
    return create_service(
        settings, package="bench", version="1", summary="bench", routers=[router], start=start, keys=OneKey(public_pem),
        tracer_provider=None if share is None else provider_of(share),
    )  # fmt: skip


def traced(public_pem: str, others: int) -> FastAPI:
    """The chassis with 1 % of the traces recorded."""
    return on_chassis(public_pem, others, 0.01)


APPS: dict[str, Callable[[str, int], FastAPI]] = {
    "bare": bare,
    "readmes": by_readmes,
    "chassis": on_chassis,
    "traced": traced,
    "traced-upstream": traced,
}


def scopes(app: str, token: str) -> list[dict[str, Any]]:
    """Return what the requests to ``app`` look like, in turns."""
    if app != "traced-upstream":
        return [scope(token)]
    trace_and_span = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}"
    flags = ["01"] + ["00"] * 99
    return [scope(token, traceparent=f"{trace_and_span}-{flag}") for flag in flags]


def scope(token: str, **more: str) -> dict[str, Any]:
    """Return an ASGI scope as our server makes it."""
    from castor_chassis.tls import PeerIdentity

    peer = PeerIdentity(f"spiffe://castor/{CALLER}", time.time() + 3600, "thumb")
    headers = {
        "host": "x", "content-type": "application/json", "content-length": str(len(BODY)),
        "authorization": f"Bearer {token}", **more,
    }  # fmt: skip
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
        "path": "/v1/bench/query", "raw_path": b"/v1/bench/query", "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
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


async def serve(app: FastAPI, requests: list[dict[str, Any]], answers: int) -> None:
    """Measure one batch per line of stdin."""
    async with app.router.lifespan_context(app):
        while sys.stdin.readline():
            started = time.process_time()
            for request in islice(cycle(requests), BATCH):
                await call(app, request)
            os.write(answers, b"%.3f\n" % ((time.process_time() - started) / BATCH * 1e6))


def main(name: str, others: int) -> None:
    """Run the app ``name``; the first two lines of stdin are the public key, as JSON, and a token."""
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    public_pem, token = json.loads(sys.stdin.readline()), sys.stdin.readline().strip()
    uvloop.run(serve(APPS[name](public_pem, others), scopes(name, token), answers))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

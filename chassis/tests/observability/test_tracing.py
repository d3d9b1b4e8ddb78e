"""Trace ids travel and are logged in any case; server spans are made only where they are exported."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from opentelemetry import propagate
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from castor_chassis import create_service, public
from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from small_service.app import SmallSettings

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ITEM = "/v1/traced/items/{name}"


class Asked(Sampler):
    """Records every span, and counts how many it was asked for."""

    def __init__(self) -> None:
        self.times = 0

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        self.times += 1
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        return "asked"


class Traced:
    """What was recorded, and how to run the service that recorded it."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.exporter = InMemorySpanExporter()
        self.asked = Asked()
        self.provider = TracerProvider(sampler=self.asked)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.files: TlsFiles = authority.write(folder, "small-service")

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @asynccontextmanager
    async def running(self, *, spans: bool = True) -> AsyncIterator[RunningService]:
        settings = SmallSettings(**tls_settings(self.files))
        app = _app(settings, self.provider if spans else None)
        async with run_service(app, settings, client_files=self.files) as service:
            yield service


def _app(settings: SmallSettings, provider: TracerProvider | None = None) -> FastAPI:
    router = APIRouter(prefix="/v1/traced", dependencies=[Depends(public("a test"))])

    @router.get("/items/{name}")
    async def item(name: str, q: str = "") -> dict[str, str]:
        sent: dict[str, str] = {}
        propagate.inject(sent)
        return sent | {"q": q, "name": name}

    @router.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret detail")

    @asynccontextmanager
    async def start(_chassis: Any) -> AsyncIterator[None]:
        yield

    return create_service(
        settings, package="small_service", version="1", summary="Traced.", routers=[router], start=start,
        keys=TokenIssuer(), tracer_provider=provider,
    )  # fmt: skip


@pytest.fixture
def traced(authority: Authority, tmp_path: Path) -> Traced:
    return Traced(authority, tmp_path / "traced")


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


def layers(app: FastAPI) -> list[type]:
    """Return the types of the layers of ``app``, from the outside in."""
    found, layer = [], app.build_middleware_stack()
    while layer is not None:
        found.append(type(layer))
        layer = getattr(layer, "app", None) or getattr(layer, "_app", None)
    return found


def logged(logs: list[Any]) -> list[str]:
    return [entry["trace_id"] for entry in logs if entry["event"] == "request"]


async def test_without_export_the_callers_trace_is_handed_on_and_logged(traced: Traced, logs: list[Any]) -> None:
    """The trace reaches what the handler calls, recorded upstream or not, and nothing is recorded here."""
    async with traced.running(spans=False) as service:
        for flags in ("00", "01"):
            given = f"00-{TRACE}-{SPAN}-{flags}"
            answer = await service.client.get("/v1/traced/items/a", headers={"traceparent": given})
            assert answer.json()["traceparent"] == given
    assert logged(logs) == [TRACE, TRACE]
    assert traced.spans == []


@pytest.mark.parametrize("given", [{}, {"traceparent": "00-nonsense-01"}, {"traceparent": f"00-{'0' * 32}-{SPAN}-00"}])
async def test_without_export_a_trace_begins_here(traced: Traced, logs: list[Any], given: dict[str, str]) -> None:
    """A request that brings no trace, or none that can be read, gets one: a new one for each request."""
    async with traced.running(spans=False) as service:
        answers = [await service.client.get("/v1/traced/items/a", headers=given) for _ in range(2)]
    traces = [answer.json()["traceparent"].split("-")[1] for answer in answers]
    assert logged(logs) == traces
    assert len({*traces, "0" * 32}) == 3


async def test_a_server_span_is_named_by_its_route_and_holds_no_path(traced: Traced, logs: list[Any]) -> None:
    """One span a request, child of the caller's, without identifiers or what was searched for."""
    async with traced.running() as service:
        headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
        answer = await service.client.get("/v1/traced/items/maria?q=petro", headers=headers)
    (span,) = traced.spans
    assert (span.name, span.kind) == (f"GET {ITEM}", SpanKind.SERVER)
    assert span.parent is not None
    assert span.context is not None
    assert (span.context.trace_id, span.parent.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert span.attributes is not None
    assert span.attributes["http.route"] == ITEM
    assert (span.attributes["http.request.method"], span.attributes["http.response.status_code"]) == ("GET", 200)
    assert "maria" not in str(span.attributes)
    assert "petro" not in str(span.attributes)
    assert answer.json()["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert logged(logs) == [TRACE]


async def test_failures_mark_their_span(traced: Traced) -> None:
    """A 500 is an error of ours, a 404 is not; no detail of either is written down."""
    async with traced.running() as service:
        await service.client.get("/v1/traced/broken")
        await service.client.get("/v1/traced/none/maria")
    broken, unknown = traced.spans
    assert (broken.name, broken.status.status_code) == ("GET /v1/traced/broken", StatusCode.ERROR)
    assert (unknown.name, unknown.status.status_code) == ("GET", StatusCode.UNSET)
    assert "secret" not in f"{broken.events} {broken.status.description}"
    assert "maria" not in str(unknown.attributes)


async def test_what_the_caller_does_not_record_passes_without_a_span(traced: Traced, logs: list[Any]) -> None:
    """The caller's choice holds for the whole trace, whose id still travels and is logged."""
    given = f"00-{TRACE}-{SPAN}-00"
    async with traced.running() as service:
        answer = await service.client.get("/v1/traced/items/a", headers={"traceparent": given})
    assert answer.json()["traceparent"] == given
    assert (traced.asked.times, logged(logs)) == (0, [TRACE])


async def test_pipelined_requests_have_traces_of_their_own(traced: Traced) -> None:
    """A request is no child of the one that came before it on its connection."""
    request = b"GET /v1/traced/items/a HTTP/1.1\r\nhost: x\r\n\r\n"
    context: ssl.SSLContext = traced.files.client_context()
    async with traced.running() as service:
        port = service.pair.api.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        writer.write(request * 3)
        for _ in range(3):
            await reader.readuntil(b'"name":"a"}')
        writer.close()
    assert [span.parent for span in traced.spans] == [None, None, None]
    assert len({span.context.trace_id for span in traced.spans if span.context}) == 3


def test_only_a_service_that_exports_has_the_instrumentation() -> None:
    """Where no span can be seen by anybody, no request pays for one."""
    exporting = SmallSettings(otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    assert OpenTelemetryMiddleware in layers(_app(exporting))
    assert OpenTelemetryMiddleware not in layers(_app(SmallSettings()))

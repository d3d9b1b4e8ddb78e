"""A service with an OTLP endpoint sends its spans there."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from castor_chassis.client.transport import httpx
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases
from small_service.process import Process


class Collector(ThreadingHTTPServer):
    """Takes spans on a loopback port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def server_spans(self) -> list[tuple[Any, Any]]:
        """Return each server span that came, after the attributes of its service."""
        return [
            (resource.resource.attributes, span)
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.kind == Span.SPAN_KIND_SERVER
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def texts(attributes: Any) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in attributes if attribute.value.string_value}


async def test_spans_reach_the_collector(
    files: TlsFiles, caller: TlsFiles, collector: Collector, test_ports: PortLeases
) -> None:
    """What is in hand at the end is sent as well: the service's name, the route, the stable names of attributes."""
    service = Process(files, test_ports, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_TRACES_SAMPLER_ARG="1")
    process = await service.start()
    async with httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{service.api}", verify=caller.client_context(), trust_env=False
    ) as client:
        assert (await client.get("/v1/small/slow?seconds=0")).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    ((resource, span),) = collector.server_spans()
    assert texts(resource)["service.name"] == "small-service"
    assert span.name == "GET /v1/small/slow"
    expected = {
        "http.request.method": "GET",
        "http.route": "/v1/small/slow",
        "url.path": "[redacted]",
        "url.query": "[redacted]",
    }
    assert expected.items() <= texts(span.attributes).items()

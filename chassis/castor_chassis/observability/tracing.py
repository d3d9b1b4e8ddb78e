"""Traces: spans over every hop where an OTLP endpoint is set, and trace ids that travel in any case."""

from __future__ import annotations

import os
import re
from contextvars import Token

from fastapi import FastAPI
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

from castor_chassis.settings import ServiceSettings

_PROPAGATOR = TraceContextTextMapPropagator()
_NEW_IDS = RandomIdGenerator()
_NOTHING = Context()
_UNRECORDED = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][02468ace]")


def configure_tracing(settings: ServiceSettings) -> TracerProvider:
    """Make the process's tracer provider; spans are exported only when an OTLP endpoint is set.

    Without an endpoint the ids still travel and stand in the logs; nothing is recorded.
    """
    endpoint = settings.otel_exporter_otlp_endpoint
    share = settings.otel_traces_sampler_arg if endpoint else 0.0
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share)),
        resource=Resource.create({"service.name": settings.service_name}),
    )
    if endpoint:
        _use_stable_names()
        # Imported where it is wanted: protobuf and an HTTP client are megabytes for every service without a collector.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
        RedisInstrumentor().instrument(tracer_provider=provider)
    trace.set_tracer_provider(provider)
    return provider


def trace_requests(app: FastAPI, provider: TracerProvider | None) -> None:
    """Make a server span of every request, named by its route, with ``provider`` or the process's own.

    A request costs about half as much CPU again, recorded or not (docs/adr/0018), so a service that exports no spans
    makes none. Requests that their caller decided not to record are let through without one.
    """
    _use_stable_names()
    FastAPIInstrumentor.instrument_app(
        app,
        server_request_hook=_redact,
        tracer_provider=provider,
        meter_provider=NoOpMeterProvider(),
        exclude_spans=["receive", "send"],
    )
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: _PassUnrecorded(build())  # type: ignore[method-assign]


def _use_stable_names() -> None:
    # Every instrumentation takes the choice of attribute names from here; the first one's reading holds for all.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")


def _redact(span: trace.Span, scope: Scope) -> None:
    # Paths and queries hold identifiers, handles of authors and what people search for; the route says enough.
    if span.is_recording():
        span.set_attribute("url.path", "[redacted]")
        if scope["query_string"]:
            span.set_attribute("url.query", "[redacted]")


class _PassUnrecorded:
    """Takes requests of traces that are not recorded past the instrumentation inside ``app``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", ())).get(b"traceparent", b"")
        if not is_unrecorded(given.decode("latin-1")):
            await self._app(scope, receive, send)
            return
        with suppress_http_instrumentation():
            await self._app(scope, receive, send)


def is_unrecorded(traceparent: str | None) -> bool:
    """Return whether the caller has decided that this trace is not recorded."""
    return traceparent is not None and _UNRECORDED.fullmatch(traceparent) is not None


def continue_trace(traceparent: str | None) -> Token[Context]:
    """Make the caller's trace the current one, or a new one without a caller's; nothing is recorded.

    Returns the token for ``leave_trace``.
    """
    context = _NOTHING if traceparent is None else _PROPAGATOR.extract({"traceparent": traceparent}, _NOTHING)
    if not context:
        ids = trace.SpanContext(_NEW_IDS.generate_trace_id(), _NEW_IDS.generate_span_id(), is_remote=False)
        context = trace.set_span_in_context(trace.NonRecordingSpan(ids), _NOTHING)
    return otel_context.attach(context)


def leave_trace(token: Token[Context]) -> None:
    """End what ``continue_trace`` began."""
    otel_context.detach(token)


def current_trace_id() -> str:
    """Return the current trace in 32 hexadecimal digits; empty when there is none."""
    ids = trace.get_current_span().get_span_context()
    return format(ids.trace_id, "032x") if ids.is_valid else ""

"""Traces: OpenTelemetry spans over every hop, exported when an OTLP endpoint is set."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from castor_chassis.settings import ServiceSettings


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
        # Imported where it is wanted: protobuf and an HTTP client are megabytes for every service without a collector.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
        RedisInstrumentor().instrument(tracer_provider=provider)
    trace.set_tracer_provider(provider)
    return provider

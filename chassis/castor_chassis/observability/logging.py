"""Logs: one JSON line per event."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from opentelemetry import trace

from castor_chassis.context import current_request

Event = MutableMapping[str, Any]
_SECRET = frozenset({"token", "password", "secret", "authorization", "api_key", "key", "refresh_token"})
# Where pydantic, asyncpg and PostgreSQL show the value, or the row, that is wrong: it may be what somebody wrote.
# It may hold what follows it in a message as well: the last that is possible ends it.
_TEXT = re.compile(
    r"(?<=input_value=)(?:[^\n]*(?=, input_type=)|.*?(?=, input_type=|\Z))"
    r'|(?<=value ")[^"\n]*(?=" is out of range)'
    r"|(?P<kept>DETAIL:  (?!Process \d)|Failing row contains |invalid input for query argument \$\d+: "
    r"|(?:invalid input (?:syntax|value) for|malformed) [\w ]{1,60}: |field value out of range: )"
    r".*?(?=\n\n(?:The above exception was|During handling of the above)[^\n]{1,60}:\n\nTraceback|\Z)",
    re.DOTALL,
)


def _finisher(service: str) -> Any:
    """Return the processor that adds what every line has; one function, since this runs for every request."""

    def finish(_logger: Any, method: str, event: Event) -> Event:
        event.update(_stamp(method, service))
        info = current_request()
        if info is not None:
            event.setdefault("request_id", info.request_id)
            if info.principal is not None:
                event.setdefault("principal", info.principal)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = format(span.trace_id, "032x")
        for name in _SECRET & event.keys():
            event[name] = "[redacted]"
        return event

    return finish


def _without_texts(_logger: Any, _method: str, event: Event) -> Event:
    """Take texts of people out of exceptions and of reasons, which are exceptions as well."""
    for name in ("exception", "reason"):
        if event.get(name) is not None:
            event[name] = _TEXT.sub(r"\g<kept>[left out]", str(event[name]))
    return event


def _render(_logger: Any, _method: str, event: Event) -> bytes:
    return orjson.dumps(event, default=str)


class _RequestLog:
    """Writes access lines without structlog's chain: the same line for a quarter of the CPU."""

    def __init__(self) -> None:
        self.service = ""
        self.write: Callable[[bytes], Any] | None = None
        self.fallback = structlog.get_logger("castor.http")

    def __call__(self, fields: Event) -> None:
        if self.write is not None:
            self.write(orjson.dumps({"event": "request", **fields, **_stamp("info", self.service)}))
        elif not self.service:
            self.fallback.info("request", **fields)


_request_log = _RequestLog()


def log_request(
    method: str,
    route: str,
    status: int,
    seconds: float,
    peer: str | None,
    request_id: str,
    trace_id: str = "",
    principal: str | None = None,
) -> None:
    """Write the access line of one request."""
    fields: Event = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 2),
        "peer": peer,
        "request_id": request_id,
    }
    if principal is not None:
        fields["principal"] = principal
    if trace_id:
        fields["trace_id"] = trace_id
    _request_log(fields)


def _stamp(level: str, service: str) -> Event:
    time = f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
    return {"time": time, "level": level, "service": service}


def configure_logging(service: str, level: str) -> None:
    """Send every log of this process, the standard library's included, to stdout as JSON lines."""
    factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
    _request_log.service = service
    _request_log.write = factory().info if logging.getLevelName(level) <= logging.INFO else None
    shared: list[Any] = [_finisher(service), structlog.processors.format_exc_info, _without_texts]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            lambda logger, method, event: _render(logger, method, event).decode(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)

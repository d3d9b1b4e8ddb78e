"""Background work continues the request and the trace that brought its tweets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, propagate

from castor_chassis import RequestInfo, set_request


@contextmanager
def continued_request(worker: str, request_id: str | None, traceparent: str | None) -> Iterator[None]:
    """Log and trace under the ids of an earlier request, as the principal ``worker``, until the block ends."""
    set_request(RequestInfo(request_id=request_id, principal=worker) if request_id else RequestInfo(principal=worker))
    token = context.attach(propagate.extract({"traceparent": traceparent} if traceparent else {}))
    try:
        yield
    finally:
        context.detach(token)
        set_request(RequestInfo(principal=worker))

"""What the error of one attempt means: to the caller, to the retry loop and to the circuit breaker."""

from __future__ import annotations

import re
from typing import Any

from openai import APIConnectionError, APIStatusError, OpenAIError

from castor_chassis.client.retry import AttemptFailed, retry_after_seconds
from castor_chassis.client.transport import httpx, provably_unsent
from openai_service.errors import UpstreamRefused, UpstreamUnavailable

ATTEMPT_ERRORS = (
    OpenAIError,
    httpx.HTTPError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)
"""What an attempt raises when the upstream cannot be reached, refuses, or answers in another shape than OpenAI's."""
_KEY = re.compile(r"\b(?:sk|pk|gsk|xai)-[A-Za-z0-9*_-]{4,}|\bBearer\s+\S+")
_REPEATABLE_STATUS = (429, 503)
_TEMPORARY_STATUS = (408, 429)


def failure_of(error: Exception, api_key: str | None) -> AttemptFailed:
    """Return what ``error``, one of ``ATTEMPT_ERRORS``, means; the key is cut out of the upstream's own words.

    A request is repeatable when the upstream did not process it: it was never sent, or was refused with 429 or 503.
    """
    if isinstance(error, APIStatusError):
        return _status_failure(error, api_key)
    if isinstance(error, APIConnectionError | httpx.HTTPError | OSError):
        cause = error.__cause__
        unsent = isinstance(cause, httpx.TransportError) and provably_unsent(cause)
        lost = UpstreamUnavailable(reason="the connection failed", retry_after_seconds=1)
        return AttemptFailed(lost if unsent else lost.processed(), repeatable=unsent)
    unclear = UpstreamUnavailable(reason="its answer is not of the OpenAI shape", retry_after_seconds=1)
    return AttemptFailed(unclear.processed(), repeatable=False)


def _status_failure(error: APIStatusError, api_key: str | None) -> AttemptFailed:
    status = error.status_code
    if status < 500 and status not in _TEMPORARY_STATUS:
        refused = UpstreamRefused(upstream_status=status, reason=_reason(error, api_key))
        refused.param = _param(error.body)
        if items := _validation_errors(error.body):
            refused.unknown_fields = tuple(_place(item) for item in items if item.get("type") == "extra_forbidden")
        return AttemptFailed(refused, repeatable=False, outage=False)
    wait = retry_after_seconds(error.response.headers.get("retry-after"))
    failure = UpstreamUnavailable(reason=f"it answered {status}", retry_after_seconds=wait or 1)
    repeatable = status in _REPEATABLE_STATUS
    return AttemptFailed(failure, repeatable=repeatable, wait_seconds=wait, outage=status != 429)


def _reason(error: APIStatusError, api_key: str | None) -> str:
    # Upstreams repeat the key in their refusals, some of them in full.
    text = _words(error.body)
    if api_key:
        text = text.replace(api_key, "[redacted]")
    return _KEY.sub("[redacted]", text)[:300]


def _words(body: object) -> str:
    items = _validation_errors(body)
    if items:
        # Without the values, which repeat what the caller sent.
        return "; ".join(f"{_place(item)}: {item.get('msg')}" for item in items)
    if isinstance(body, dict):
        return str(body.get("message") or body)
    return str(body or "no reason given")


def _param(body: object) -> str | None:
    param = body.get("param") if isinstance(body, dict) else None
    return param if isinstance(param, str) and param else None


def _validation_errors(body: object) -> list[dict[str, Any]]:
    """Return the errors of a server on pydantic, which some put into a message; none of any other shape."""
    for holder in (body, body.get("message") if isinstance(body, dict) else None):
        items = holder.get("detail") if isinstance(holder, dict) else None
        if isinstance(items, list) and items and all(isinstance(item, dict) and "loc" in item for item in items):
            return items
    return []


def _place(item: dict[str, Any]) -> str:
    loc = item["loc"]
    names = [str(name) for name in loc] if isinstance(loc, list) else [str(loc)]
    return ".".join(names[1:] if names[:1] == ["body"] else names)

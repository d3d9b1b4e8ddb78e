"""What the error of one attempt means: to the caller, to the retry loop and to the circuit breaker."""

from __future__ import annotations

import re

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
        return AttemptFailed(refused, repeatable=False, outage=False)
    wait = retry_after_seconds(error.response.headers.get("retry-after"))
    failure = UpstreamUnavailable(reason=f"it answered {status}", retry_after_seconds=wait or 1)
    repeatable = status in _REPEATABLE_STATUS
    return AttemptFailed(failure, repeatable=repeatable, wait_seconds=wait, outage=status != 429)


def _reason(error: APIStatusError, api_key: str | None) -> str:
    # Upstreams repeat the key in their refusals, some of them in full.
    body = error.body
    text = str(body.get("message") or body) if isinstance(body, dict) else str(body or "no reason given")
    if api_key:
        text = text.replace(api_key, "[redacted]")
    return _KEY.sub("[redacted]", text)[:300]

"""What the error of one attempt means: to the caller, to the retry loop and to the circuit breaker."""

from __future__ import annotations

import re

from openai import APIConnectionError, APIStatusError, OpenAIError

from castor_chassis.client.retry import retry_after_seconds
from castor_chassis.client.transport import httpx, provably_unsent
from openai_service.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable

ATTEMPT_ERRORS = (OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, LookupError, AttributeError)
"""What an attempt raises when the upstream cannot be reached, refuses, or answers in another shape than OpenAI's."""
_KEY = re.compile(r"\b(?:sk|pk|gsk|xai)-[A-Za-z0-9*_-]{4,}|\bBearer\s+\S+")
_REPEATABLE_STATUS = (429, 503)
_TEMPORARY_STATUS = (408, 429)


class AttemptFailed(Exception):
    """One attempt failed with ``error``.

    ``repeatable``: the upstream did not process the request, so it may be sent again, after ``wait_seconds`` if given.
    ``counts``: the failure says something about the upstream's health and counts for the circuit breaker.
    """

    def __init__(
        self, error: UpstreamError, *, repeatable: bool = False, wait_seconds: float | None = None, counts: bool = True
    ) -> None:
        super().__init__(error.code)
        self.error = error
        self.repeatable = repeatable
        self.wait_seconds = wait_seconds
        self.counts = counts


def failure_of(error: Exception, api_key: str | None) -> AttemptFailed:
    """Return what ``error``, one of ``ATTEMPT_ERRORS``, means; the key is cut out of the upstream's own words."""
    if isinstance(error, APIStatusError):
        return _status_failure(error, api_key)
    if isinstance(error, APIConnectionError | httpx.HTTPError | OSError):
        cause = error.__cause__
        unsent = isinstance(cause, httpx.TransportError) and provably_unsent(cause)
        lost = UpstreamUnavailable(reason="the connection failed", retry_after_seconds=1)
        return AttemptFailed(lost if unsent else lost.processed(), repeatable=unsent)
    unclear = UpstreamUnavailable(reason="its answer is not of the OpenAI shape", retry_after_seconds=1)
    return AttemptFailed(unclear.processed())


def _status_failure(error: APIStatusError, api_key: str | None) -> AttemptFailed:
    status = error.status_code
    if status < 500 and status not in _TEMPORARY_STATUS:
        return AttemptFailed(UpstreamRefused(upstream_status=status, reason=_reason(error, api_key)), counts=False)
    wait = retry_after_seconds(error.response.headers.get("retry-after"))
    failure = UpstreamUnavailable(reason=f"it answered {status}", retry_after_seconds=wait or 1)
    return AttemptFailed(failure, repeatable=status in _REPEATABLE_STATUS, wait_seconds=wait)


def _reason(error: APIStatusError, api_key: str | None) -> str:
    # Upstreams repeat the key in their refusals, some of them in full.
    body = error.body
    text = str(body.get("message") or body) if isinstance(body, dict) else str(body or "no reason given")
    if api_key:
        text = text.replace(api_key, "[redacted]")
    return _KEY.sub("[redacted]", text)[:300]

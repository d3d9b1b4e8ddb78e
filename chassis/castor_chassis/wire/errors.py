"""The one error type, and how it becomes an HTTP answer.

ServiceError
├── Unauthenticated 401, Forbidden 403, NotFound 404, BodyTooSlow 408, Conflict 409, RateLimited 429, Overloaded 429
├── DeadlineExceeded 504
├── Unavailable 503 ── DatabaseUnavailable ── DatabaseSlow
└── PeerError ── PeerUnavailable 503, PeerTimeout 504, PeerRejected 502
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field


class ErrorBody(BaseModel):
    """What every failure looks like on the wire."""

    ok: Literal[False] = False
    error: str = Field(description="One sentence: what was wrong and what to do.")
    code: str = Field(description="Stable machine-readable name of the failure.")
    details: dict[str, Any] | None = None
    request_id: str


class ServiceError(Exception):
    """Base of all errors that reach a caller; a subclass sets three lines.

    Keyword arguments fill ``message`` and become ``details``; ``retry_after_seconds`` becomes the header.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    message: ClassVar[str] = "The service failed; the request id leads to its log."
    is_guess: ClassVar[bool] = False
    """Whether it counts as a failed authentication of the caller's address."""
    field: ClassVar[str] = "request"
    """For a 422: where in the request the value is that cannot be taken, as in ``query.since``."""

    def __init__(self, *, retry_after_seconds: float | None = None, **details: Any) -> None:
        super().__init__(self.message.format(**details))
        self.details = details
        if self.status == 422:
            self.details.setdefault("fields", [{"field": self.field, "problem": str(self)}])
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to this answer."""
        if self.retry_after_seconds is None:
            return {}
        return {"Retry-After": str(max(1, round(self.retry_after_seconds)))}


class Unauthenticated(ServiceError):
    """No token, or one that does not hold."""

    status = 401
    code = "unauthenticated"
    message = "{reason}; send 'Authorization: Bearer <token>' with a valid access token or API key."
    is_guess = True

    def headers(self) -> dict[str, str]:
        """Say which scheme is expected, as RFC 9110 wants of a 401."""
        return {"WWW-Authenticate": "Bearer"}


class NoCredentials(Unauthenticated):
    """No token was sent, or one of ours that has ended: nothing was guessed."""

    is_guess = False


class Forbidden(ServiceError):
    """The caller is known but may not do this."""

    status = 403
    code = "forbidden"
    message = "{reason}"


class NotFound(ServiceError):
    """Nothing stands at this address."""

    status = 404
    code = "not_found"
    message = "Nothing was found at this path; the contract lists what exists."


class BodyTooSlow(ServiceError):
    """The body arrives more slowly than the service waits."""

    status = 408
    code = "body_too_slow"
    message = "The body arrived too slowly; send it over a better connection, or in smaller parts."


class Conflict(ServiceError):
    """The request contradicts what is stored."""

    status = 409
    code = "conflict"
    message = "{reason}"


class UnsupportedMediaType(ServiceError):
    """The body is of a type that this route does not read."""

    status = 415
    code = "unsupported_media_type"
    message = "The Content-Type of the body is {given}, and this route reads {wanted}; send the body as that."


class IdempotencyUnsupported(ServiceError):
    """The route does not remember requests by an Idempotency-Key."""

    status = 400
    code = "idempotency_unsupported"
    message = "This route takes no Idempotency-Key; leave it out, and see in the contract what a repetition does."


class IdempotencyInFlight(Conflict):
    """Another request with the same Idempotency-Key is under way."""

    code = "idempotency_in_flight"
    message = "A request with this Idempotency-Key is under way; send it again as Retry-After says for its answer."


class Invalid(ServiceError):
    """A value is well formed but makes no sense here; ``field`` names it as in ``query.since``, if it is one."""

    status = 422
    code = "validation_error"
    message = "{reason}"

    def __init__(self, *, field: str | None = None, **details: Any) -> None:
        super().__init__(**details)
        self.details["fields"] = [{"field": field or self.field, "problem": str(self)}]


class IdempotencyKeyReused(Invalid):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request; send a new key for a new request."
    field = "header.Idempotency-Key"


def rate_limit_headers(limit: int, remaining: int, reset_seconds: int) -> dict[str, str]:
    """Return the headers of a limit (draft-ietf-httpapi-ratelimit-headers, the older form)."""
    values = {"Limit": limit, "Remaining": remaining, "Reset": reset_seconds}
    return {f"RateLimit-{name}": str(value) for name, value in values.items()}


class RateLimited(ServiceError):
    """The caller used up its share."""

    status = 429
    code = "rate_limited"
    message = "More than {limit} requests; wait as Retry-After says."

    def headers(self) -> dict[str, str]:
        """Say what the limit is and when it begins anew."""
        wait = super().headers()
        limit = int(str(self.details["limit"]).split(" ", 1)[0])
        return {**wait, **rate_limit_headers(limit, 0, int(wait["Retry-After"]))}


class Overloaded(ServiceError):
    """The service is full and sheds load early instead of queueing."""

    status = 429
    code = "overloaded"
    message = "The service is at its limit of {limit} at a time; try again as Retry-After says."


class TooManyOpen(Overloaded):
    """One caller holds as many requests open as one may."""

    message = "You have {limit} requests open, as many as one caller may; wait for one of them to end."


class Unavailable(ServiceError):
    """A part that this answer needs is away."""

    status = 503
    code = "unavailable"
    message = "{reason}; try again as Retry-After says."


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"
    message = "The database does not answer, nothing was written; try again as Retry-After says."


class DatabaseSlow(DatabaseUnavailable):
    """A statement took longer than the service waits for one; the connection to PostgreSQL stands."""

    code = "database_slow"
    message = "The database did not finish within the time limit; ask for less, or try again as Retry-After says."


class DeadlineExceeded(ServiceError):
    """The caller's time ran out."""

    status = 504
    code = "deadline_exceeded"
    message = "The request did not finish within {seconds} s; ask for less or allow more time."


class PeerError(ServiceError):
    """A call to another service failed; ``peer`` names it."""

    status = 503
    code = "peer_failed"
    message = "{peer} failed: {reason}."


class PeerUnavailable(PeerError):
    """The peer could not be reached, or its breaker is open."""

    code = "peer_unavailable"
    message = "{peer} is unavailable ({reason}); try again as Retry-After says."


class PeerTimeout(PeerError):
    """The peer did not answer within the time that was left."""

    status = 504
    code = "peer_timeout"
    message = "{peer} did not answer within {seconds} s; try again."


class PeerRejected(PeerError):
    """The peer understood the request and refused it: our fault, not an outage."""

    status = 502
    code = "peer_rejected"
    message = "{peer} refused the request with {peer_status}: {peer_error}"

    @property
    def peer_status(self) -> int:
        """HTTP status that the peer answered."""
        return int(self.details["peer_status"])

    @property
    def peer_code(self) -> str:
        """Machine code that the peer answered."""
        return str(self.details["peer_code"])


COMMON = (400, 401, 403, 408, 413, 415, 422, 429, 500, 502, 503, 504)
_DESCRIPTIONS = {
    400: "The body is not JSON, or the request is malformed.",
    401: "No valid token or certificate.",
    403: "The token lacks the scope, or the caller may not use this path.",
    408: "The body arrives too slowly.",
    413: "The body is too large.",
    415: "The Content-Type is not one that this route reads.",
    422: "A field is missing, unknown or out of range; details.fields names it.",
    429: "Rate limit or overload; Retry-After says when.",
    500: "The service failed.",
    502: "Another service refused what this one asked.",
    503: "A database or another service is unavailable; Retry-After says when.",
    504: "The deadline passed.",
}


def common_responses() -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses that the chassis itself can give on any route."""
    return {status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in COMMON}


def errors_of(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of these errors, for ``responses=`` of a route."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        text = (error.__doc__ or error.code).strip()
        before: Mapping[str, Any] = described.get(error.status, {})
        joined = f"{before['description']} {text}" if before else text
        described[error.status] = {"model": ErrorBody, "description": joined}
    return described

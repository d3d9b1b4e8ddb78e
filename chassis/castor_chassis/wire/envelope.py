"""Success envelopes, pages, cursors, and field types that mean in Python what JSON Schema says."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from castor_chassis.wire.errors import Invalid

T = TypeVar("T")


class RequestModel(BaseModel):
    """Base of request bodies: an unknown field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")


class ResponseModel(BaseModel):
    """Base of answers."""


class Meta(BaseModel):
    """What is said about an answer, beside it."""

    model_config = ConfigDict(extra="allow")
    degraded: list[str] | None = Field(None, description="Parts that this answer was made without.")
    next_cursor: str | None = Field(None, description="Pass it as 'cursor' for what follows; null at the end.")


class Ok(BaseModel, Generic[T]):
    """A successful answer."""

    ok: Literal[True] = True
    data: T
    meta: Meta | None = None


class Items(BaseModel, Generic[T]):
    """The items of one page."""

    items: list[T]


class Page(BaseModel, Generic[T]):
    """A successful answer that is a list."""

    ok: Literal[True] = True
    data: Items[T]
    meta: Meta


def ok(data: T, **meta: Any) -> Ok[T]:
    """Wrap ``data``; keywords become ``meta`` (for example ``degraded=["sentiment"]``)."""
    # FastAPI validates the answer against the route's type; validating it here as well would do it twice.
    return Ok.model_construct(ok=True, data=data, meta=Meta(**meta) if meta else None)


def page(items: list[T], *, next_cursor: str | None = None, **meta: Any) -> Page[T]:
    """Wrap a list with the cursor of what follows."""
    data = Items.model_construct(items=items)
    return Page.model_construct(ok=True, data=data, meta=Meta(next_cursor=next_cursor, **meta))


def encode_cursor(position: dict[str, Any]) -> str:
    """Return an opaque, URL-safe cursor for ``position`` (JSON values)."""
    text = json.dumps(position, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, Any]:
    """Return the position that ``encode_cursor`` wrapped; raises ``Invalid`` on anything else."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Invalid(reason="'cursor' is not one of ours; pass meta.next_cursor of the page before") from error
    if not isinstance(position, dict):
        raise Invalid(reason="'cursor' is not one of ours; pass meta.next_cursor of the page before")
    return position


def normal_time(moment: datetime) -> str:
    """Return ISO-8601 in UTC with ``Z`` and without a needless fraction."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")


def _no_bool_or_text(value: Any) -> Any:
    # Pydantic's lax mode takes true and "3" for numbers, JSON Schema does not.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _aware_utc(value: Any) -> Any:
    # Pydantic's lax mode takes numbers for times; the contract says date-time.
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError("must be an ISO-8601 time such as 2026-05-31T12:00:00Z")
    if value.tzinfo is None:
        raise ValueError("must name its offset, for example a final Z for UTC")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the range of years 1 to 9999") from error


def _bounded_depth(value: Any, depth: int = 8) -> Any:
    if depth == 0:
        raise ValueError("must not be nested deeper than 8 levels")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _bounded_depth(child, depth - 1)
    return value


Integer = Annotated[int, BeforeValidator(_no_bool_or_text)]
Number = Annotated[float, BeforeValidator(_no_bool_or_text), Field(allow_inf_nan=False)]
Timestamp = Annotated[datetime, BeforeValidator(_aware_utc), PlainSerializer(normal_time, return_type=str)]
# PostgreSQL cannot store the null character; the pattern says so in the contract as well.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_bounded_depth)]

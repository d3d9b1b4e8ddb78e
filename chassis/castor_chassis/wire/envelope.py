"""Success envelopes, pages and cursors."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from castor_chassis.wire.errors import Invalid
from castor_chassis.wire.fields import normal_time

T = TypeVar("T")
FOREIGN_CURSOR = "'cursor' is not one of ours; pass meta.next_cursor of the page before"


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
    return Ok.model_construct(ok=True, data=data, meta=_said(meta) if meta else None)


def page(items: list[T], *, next_cursor: str | None = None, **meta: Any) -> Page[T]:
    """Wrap a list with the cursor of what follows."""
    data = Items.model_construct(items=items)
    return Page.model_construct(ok=True, data=data, meta=_said({"next_cursor": next_cursor, **meta}))


def _said(meta: dict[str, Any]) -> Meta:
    return Meta(**{name: normal_time(value) if isinstance(value, datetime) else value for name, value in meta.items()})


def encode_cursor(position: dict[str, Any]) -> str:
    """Return an opaque, URL-safe cursor for ``position`` (JSON values)."""
    text = json.dumps(position, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, Any]:
    """Return the position that ``encode_cursor`` wrapped; raises ``Invalid`` on anything else."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if not isinstance(position, dict):
        raise Invalid(field="query.cursor", reason=FOREIGN_CURSOR)
    return position

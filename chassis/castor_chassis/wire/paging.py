"""Pages of lists: a cursor says where the page before ended, and of which list it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from castor_chassis.wire.envelope import FOREIGN_CURSOR, Page, decode_cursor, encode_cursor, page
from castor_chassis.wire.errors import Invalid

T = TypeVar("T")
V = TypeVar("V")
P = TypeVar("P", bound=tuple[Any, ...])
Row = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""The number of a row, as positions hold it."""
_OTHER_QUERY = "query.cursor is of another query; ask with the parameters of the page before, or leave it out"


class Order(Generic[P]):
    """The order of a list: what a position is made of, and that of an item; no two items have the same.

    ``Order(tuple[Timestamp, Row], lambda one: (one.created_at, one.id), newest_first=True)``.
    """

    def __init__(self, kind: type[P], of: Callable[[Any], P], *, newest_first: bool = False) -> None:
        self.adapter: TypeAdapter[P] = TypeAdapter(kind)
        self.of = of
        self.newest_first = newest_first


class Cursor:
    """The cursor of a request, and where those of the next page are made."""

    def __init__(self, listed: str, position: Any) -> None:
        self._listed = listed
        self._position = position

    def after(self, order: Order[P]) -> P | None:
        """Return the position that the page before ended at, None for the first page; raises ``Invalid``."""
        if self._position is None:
            return None
        try:
            return order.adapter.validate_python(self._position)
        except ValidationError as error:
            raise Invalid(field="query.cursor", reason=FOREIGN_CURSOR) from error

    def following(self, position: tuple[Any, ...]) -> str:
        """Return the cursor of what comes after a position."""
        return encode_cursor({"of": self._listed, "at": to_jsonable_python(position)})

    def page(self, found: Sequence[T], limit: int, order: Order[Any], view: Callable[[T], V], **meta: Any) -> Page[V]:
        """Return the page of ``found``, which holds up to ``limit`` + 1 items after the position, in order."""
        shown = found[:limit]
        following = self.following(order.of(shown[-1])) if len(found) > limit else None
        return page([view(one) for one in shown], next_cursor=following, **meta)

    def page_of(self, whole: Iterable[T], limit: int, order: Order[Any], view: Callable[[T], V]) -> Page[V]:
        """Return a page of a list that is short enough to be read as a whole, in any order."""
        after = self.after(order)
        ordered = sorted(whole, key=order.of, reverse=order.newest_first)
        if after is not None:
            ordered = [one for one in ordered if _follows(order.of(one), after, order.newest_first)]
        return self.page(ordered, limit, order, view)


def _follows(position: Any, after: Any, newest_first: bool) -> bool:
    return bool(position < after if newest_first else position > after)


async def cursor_of(
    request: Request,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="meta.next_cursor of the page before, of the same query.")
    ] = None,
) -> Cursor:
    """Return the cursor of a request; raises ``Invalid`` for one that is none of ours or of another query."""
    asked = sorted(each for each in request.query_params.multi_items() if each[0] not in ("cursor", "limit"))
    listed = hashlib.blake2b(repr((request.url.path, asked)).encode(), digest_size=9).hexdigest()
    if cursor is None:
        return Cursor(listed, None)
    position = decode_cursor(cursor)
    if position.keys() != {"of", "at"}:
        raise Invalid(field="query.cursor", reason=FOREIGN_CURSOR)
    if position["of"] != listed:
        raise Invalid(field="query.cursor", reason=_OTHER_QUERY)
    return Cursor(listed, position["at"])


Paged = Annotated[Cursor, Depends(cursor_of)]

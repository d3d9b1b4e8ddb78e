"""Pages of lists: joined they are the whole, and a cursor belongs to one query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from castor_chassis import Cursor, Invalid, Order, Page, Row, Timestamp, encode_cursor
from castor_chassis.wire.paging import cursor_of

START = datetime(2022, 5, 29, tzinfo=UTC)


class Item(NamedTuple):
    at: datetime
    number: int


def item(number: int) -> Item:
    # Three items share each moment, so that only both parts together are an order.
    return Item(START + timedelta(microseconds=number // 3), number)


NEWEST = Order(tuple[Timestamp, Row], lambda one: (one.at, one.number), newest_first=True)
OLDEST = Order(tuple[Timestamp, Row], lambda one: (one.at, one.number))


async def cursor(text: str | None, path: str = "/v1/things", **asked: str) -> Cursor:
    query = urlencode({**asked, **({"cursor": text} if text else {})}).encode()
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": [], "server": ("s", 1)}
    return await cursor_of(Request(scope), text)


async def pages(numbers: list[int], limit: int, order: Order[tuple[datetime, int]], later: list[int]) -> list[int]:
    """Return the numbers of all pages, joined; ``later`` are inserted after the first page."""
    seen: list[int] = []
    following: str | None = None
    while True:
        found: Page[int] = (await cursor(following)).page_of(map(item, numbers), limit, order, lambda one: one.number)
        seen += found.data.items
        following = found.meta.next_cursor
        if following is None:
            return seen
        numbers, later = [*numbers, *later], []


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.integers(1, 9), st.booleans())
async def test_joined_pages_are_the_whole(first: set[int], later: set[int], limit: int, newest_first: bool) -> None:
    """Each item is in one page, in order; what is inserted meanwhile repeats and removes nothing."""
    order = NEWEST if newest_first else OLDEST
    joined = await pages(sorted(first), limit, order, sorted(later - first))
    assert joined == sorted(set(joined), reverse=newest_first)
    assert first <= set(joined) <= first | later


async def test_a_cursor_is_of_one_query() -> None:
    """Another path or filter, what is no cursor of ours, and what is no position of the list are refused."""
    found = (await cursor(None, entity="ana")).page_of(map(item, range(3)), 2, OLDEST, lambda one: one.number)
    following = found.meta.next_cursor
    assert following is not None
    assert (await cursor(following, entity="ana", limit="1")).after(OLDEST) == item(1)
    for other in (cursor(following), cursor(following, "/v1/others", entity="ana"), cursor(following, entity="eva")):
        with pytest.raises(Invalid, match="another query"):
            await other
    for foreign in ("x", "5", encode_cursor({"n": 1}), following[:-4]):
        with pytest.raises(Invalid, match="meta.next_cursor"):
            await cursor(foreign, entity="ana")
    with pytest.raises(Invalid, match="meta.next_cursor"):
        (await cursor(following, entity="ana")).after(Order(tuple[Row], lambda one: (one.number,)))

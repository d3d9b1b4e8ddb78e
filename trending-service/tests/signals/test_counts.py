"""Counts by hour as PostgreSQL packs them."""

from __future__ import annotations

import struct

from trending_service.signals.counts import PackedCounts


def _pairs(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack(">ii", hour, tweets) for hour, tweets in pairs)


def test_what_was_kept_of_a_stale_hour_gives_way_to_what_was_counted_anew() -> None:
    """Hours outside the span are left out, and a term of which nothing remains is not there."""
    rows = [
        ("paro", True, _pairs((9, 1), (12, 3), (11, 2))), ("agua", True, _pairs((12, 1))),
        ("paro", False, _pairs((12, 7))), ("luz", False, _pairs((12, 2))), (None, False, _pairs((12, 0))),
    ]  # fmt: skip
    found = PackedCounts(10, 20, {11: 4, 12: 9}, rows).unpack()
    assert (found.first_hour, found.stream.tolist()) == (10, [0, 4, 9, 0, 0, 0, 0, 0, 0, 0])
    used = {term: dict(zip(*pairs, strict=True)) for term, pairs in found.terms.items()}
    assert used == {"paro": {11: 2, 12: 7}, "luz": {12: 2}}
    assert (found.seen("paro"), found.seen("agua"), found.total) == (9, 0, 13)


def test_nothing_before_a_window_is_nothing() -> None:
    """No row, only the note of a stale hour, and a span without an hour."""
    for rows in ([], [(None, False, _pairs((12, 0)))], [("paro", True, _pairs((12, 1)))]):
        assert PackedCounts(10, 10, {}, rows).unpack().terms == {}

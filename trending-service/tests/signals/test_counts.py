"""Counts by hour as PostgreSQL packs them."""

from __future__ import annotations

import struct

from trending_service.signals.counts import Packed, PackedCounts


def _pairs(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack(">ii", hour, tweets) for hour, tweets in pairs)


def _packed(*terms: tuple[int, list[tuple[int, int]]], kept: bool) -> Packed:
    owners = _pairs(*((place, 8 * len(pairs)) for place, pairs in terms))
    return Packed(kept, owners, b"".join(_pairs(*pairs) for _, pairs in terms))


def test_what_was_kept_of_a_stale_hour_gives_way_to_what_was_counted_anew() -> None:
    """Hours outside the span are left out, and a term of which nothing remains is not there."""
    packed = [
        _packed((1, [(9, 1), (12, 3)]), (2, [(12, 1)]), (1, [(11, 2)]), kept=True),
        _packed((1, [(12, 7)]), (3, [(12, 2)]), kept=False), Packed(False, None, _pairs((12, 0))),
    ]  # fmt: skip
    found = PackedCounts(10, 20, {11: 4, 12: 9}, ["paro", "agua", "luz", "sol"], packed).unpack()
    assert (found.first_hour, found.stream.tolist()) == (10, [0, 4, 9, 0, 0, 0, 0, 0, 0, 0])
    used = {term: dict(zip(*pairs, strict=True)) for term, pairs in found.terms.items()}
    assert used == {"paro": {11: 2, 12: 7}, "luz": {12: 2}}
    assert (found.seen("paro"), found.seen("agua"), found.total) == (9, 0, 13)


def test_nothing_before_a_window_is_nothing() -> None:
    """No row, only the note of a stale hour, a span without an hour, and no term."""
    stale, paro = Packed(False, None, _pairs((12, 0))), _packed((1, [(12, 1)]), kept=True)
    for terms, packed in (([], []), (["paro"], []), (["paro"], [stale]), (["paro"], [paro]), ([], [stale])):
        assert PackedCounts(10, 10, {}, terms, packed).unpack().terms == {}

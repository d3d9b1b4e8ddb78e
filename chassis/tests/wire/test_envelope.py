"""Cursors."""

from __future__ import annotations

import pytest

from castor_chassis import (
    Invalid,
    decode_cursor,
    encode_cursor,
)


@pytest.mark.parametrize("position", [{}, {"id": "12", "at": "2026-01-01T00:00:00Z"}, {"n": 2**60}])
def test_cursors_round_trip(position: dict[str, object]) -> None:
    """What goes into a cursor comes out of it."""
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize("cursor", ["", "é", "!!!!", "AAAA", "W10", "bnVsbA", "W1tbW1tbW1tb"])
def test_foreign_cursors_are_refused(cursor: str) -> None:
    """Anything that is not one of our cursors is 'invalid', never a crash."""
    with pytest.raises(Invalid):
        decode_cursor(cursor)

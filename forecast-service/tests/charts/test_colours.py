"""Colours: each line can be told from the others by every eye."""

from __future__ import annotations

from itertools import combinations

import pytest

from forecast_service.charts.colours import PALETTE, distance, told_apart


def test_seven_lines_are_told_apart_by_every_eye() -> None:
    """Without colours of their own seven entities get seven, also for those who do not tell red from green."""
    colours = told_apart([None] * 7)
    assert sorted(colours) == sorted(PALETTE)
    assert min(distance(one, other) for one, other in combinations(colours, 2)) >= 17.5


def test_an_entity_keeps_its_colour_where_it_can_be_seen() -> None:
    """Red beside green and yellow on white are replaced; blue and a first green stay."""
    assert told_apart(["#00AA00", "#FF0000"])[0] == "#00AA00"
    assert told_apart(["#00AA00", "#FF0000"])[1] in PALETTE
    assert told_apart(["#0000CC", "#FFFF00"])[0] == "#0000CC"
    assert told_apart(["#FFFF00"])[0] in PALETTE


@pytest.mark.parametrize("count", [1, 8, 20])
def test_more_lines_than_colours_have_colours(count: int) -> None:
    """Beyond the palette colours repeat."""
    assert len(told_apart(["#FF0000"] * count)) == count

"""Drawn files: whole, the same each time, and with their words."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from forecast_service.charts.drawing import draw, moved_apart
from forecast_service.charts.model import Band, Chart, Line

DAYS = [date(2026, 1, 1) + timedelta(days=at) for at in range(30)]
LINE = Line("Ana Gómez", "#0072B2", DAYS[:20], [50.0 + at % 7 for at in range(20)], DAYS[20:], [50.0] * 10,
            Band(DAYS[20:], [40.0] * 10, [60.0] * 10))  # fmt: skip
CHART = Chart("Título <de> & prueba", "sub", "puntos", [LINE], "nota", "Ana: 50 < 60 & más", "es", (0.0, 100.0))
SVG = "{http://www.w3.org/2000/svg}"


def test_an_svg_has_its_words_where_screen_readers_look() -> None:
    """Title and description stand first, are named by the root and survive marks of XML."""
    root = ElementTree.fromstring(draw(CHART, "svg").content)
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert (title.text, description.text) == (CHART.title, CHART.description)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\u2028", "\ud800", "\ufffe"])
def test_characters_that_xml_does_not_know_break_nothing(odd: str) -> None:
    """Control characters and halves of surrogates in a name are spaces in the picture and its words."""
    line = replace(LINE, name=f"Ana{odd}Gómez")
    chart = replace(CHART, title=f"a{odd}b", description=f"a{odd}b", lines=[line])
    root = ElementTree.fromstring(draw(chart, "svg").content)
    assert [one.text for one in root if one.tag == f"{SVG}desc"] == ["a b"]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_chart_is_the_same_file(kind: str) -> None:
    """So entity tags hold."""
    assert draw(CHART, kind).content == draw(CHART, kind).content  # type: ignore[arg-type]


def test_a_png_is_a_slide_with_its_words() -> None:
    """1600 by 900 pixels, the description in its metadata."""
    content = draw(CHART, "png").content
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(content[at : at + 4]) for at in (16, 20)] == [1600, 900]
    assert b"Description" in content


@pytest.mark.parametrize(
    "line",
    [
        replace(LINE, values=[None] * 19 + [50.0]),
        replace(LINE, values=[1e9 * at for at in range(20)], name="$x_1^2$ \\frac{" * 10),
        replace(LINE, values=[50.0] * 20, ahead_dates=[], ahead_values=[], band=None),
        replace(LINE, dates=DAYS[:1], values=[0.0], ahead_dates=[], ahead_values=[], band=None),
    ],
    ids=["one value among gaps", "huge values and marks of mathematics", "constant", "one day"],
)
def test_odd_series_are_drawn(line: Line) -> None:
    """Gaps, huge values, names with marks of mathematics, no variation, one day."""
    assert draw(replace(CHART, lines=[line], bounds=None), "svg").content.endswith(b"</svg>\n")


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    """Places are at least a label apart, keep their order and stay on the picture."""
    places = [0.5, 0.5, 0.51, 0.99, 1.0, 0.0]
    moved = moved_apart(places)
    ordered = sorted(moved)
    assert all(later - before > 0.05 for before, later in pairwise(ordered))
    assert moved.index(ordered[0]) == 5
    assert ordered[-1] <= 1
    assert math.isclose(moved[5], 0.0, abs_tol=1e-9)

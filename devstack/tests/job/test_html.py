"""The report as one HTML page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from castor_devstack.job.html.charts import scale_of
from castor_devstack.job.html.markup import bogota_day, number, percent, signed
from castor_devstack.job.html.page import page_of

from .example import HOSTILE, result

VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page: its elements in order, its text, and every address that it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its addresses."""
        self.tags.append(tag)
        self.links += [(name, value or "") for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that elements are closed in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data if self.open and self.open[-1] != "style" else ""


@pytest.fixture(scope="module")
def page() -> Reader:
    reader = Reader(page_of(result()))
    assert reader.open == []
    return reader


def test_nothing_is_loaded_and_nothing_runs(page: Reader) -> None:
    """The page has no script, no image and no address but links that a reader clicks; its policy forbids the rest."""
    assert {"script", "img", "link", "iframe"}.isdisjoint(page.tags)
    assert page.links == [("href", "https://x.com/ana/status/1")]
    source = page_of(result())
    assert "default-src 'none'" in source
    assert "url(" not in source


def test_texts_stay_texts(page: Reader) -> None:
    """What tweets, names, topics and broken lines say stands in the page as it was written."""
    assert page.text.count(HOSTILE) >= 5
    assert "<script" not in page_of(result())


def test_numbers_are_those_of_the_result_in_spanish(page: Reader) -> None:
    """Numbers of the result stand in the page with decimal commas; a quote is marked within its whole tweet."""
    for shown in ("1.234", "60 (40)", "61,2", "57,2 a 65,2", "+5,5", "1,0 a 10,0", "50 %", "12", "0,4", "8,1"):
        assert shown in page.text, shown
    assert f"antes {HOSTILE} después" in page.text
    assert "@ana, 10 may 2022" in page.text
    assert "60,0 (52,5 a 66,0, 80 %)" in page.text


def test_it_says_what_it_does_not_know(page: Reader) -> None:
    """Silence, few tweets, a missing forecast, invented data and what was asked of all data sets are said."""
    for said in ("silencio", "pocos tuits", "muy pocos días", "Datos inventados", "todos los tuits guardados",
                 "no es intención de voto", "Faltan datos de los últimos días"):  # fmt: skip
        assert said in page.text, said


def test_lines_break_where_nothing_was_observed() -> None:
    """A day without a value splits the line of the index in two."""
    chart = re.search(r'<svg[^>]*aria-label="ICCE de Luis".*?</svg>', page_of(result()), re.DOTALL)
    assert chart
    assert chart[0].count("<polyline") == 2


def test_nothing_tracked_and_no_file() -> None:
    """A data set without entities, topics, quotes and import is a whole page too."""
    bare = result()
    bare |= {"input": None, "forecast": [], "notes": []}
    bare["weeks"]["items"] = bare["sentiment"]["entities"] = bare["trending"]["topics"] = bare["rag"]["citations"] = []
    text = Reader(page_of(bare)).text
    assert "no se sigue a nadie" in text
    assert "El archivo" not in text


def test_numbers_in_spanish() -> None:
    """Thousands have points, decimals commas, a missing value is a dash; days are those of Bogotá."""
    assert (number(1234567.891, 2), number(-3.25, 1), number(None)) == ("1.234.567,89", "−3,2", "–")
    assert (percent(0.4567), percent(None), signed(2.0), signed(-2.0)) == ("46 %", "–", "+2,0", "−2,0")
    assert bogota_day("2022-05-29T03:00:00Z") == "28 may 2022"
    assert (scale_of([12.0, None, 57.0]), scale_of([])) == ((10, 60), (0, 100))

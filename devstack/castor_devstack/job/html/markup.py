"""Elements of HTML and SVG as text, and numbers and dates as Spanish writes them."""

from __future__ import annotations

from datetime import date
from html import escape

from castor_devstack.job.span import bogota_date

_MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")
MINUS = "−"
NONE = "–"
_SPANISH = str.maketrans(",.", ".,")


def element(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; ``content`` is markup, values of attributes are text; a trailing ``_`` is dropped."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{content}</{name}>"


def text(value: object) -> str:
    """Return text as markup."""
    return escape(str(value))


def number(value: float | None, digits: int = 0) -> str:
    """Return ``1.234,5``; a dash where there is no value."""
    if value is None:
        return NONE
    plain = f"{value:,.{digits}f}"
    return plain.replace("-", MINUS).translate(_SPANISH)


def signed(value: float | None, digits: int = 1) -> str:
    """Return a number with its sign."""
    return f"+{number(value, digits)}" if value is not None and value >= 0 else number(value, digits)


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in percent."""
    return NONE if value is None else f"{number(100 * value, digits)} %"


def day(value: str | date) -> str:
    """Return ``29 may 2022``."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def bogota_day(moment: str) -> str:
    """Return the day of Bogotá that a moment lies in."""
    return day(bogota_date(moment))


def table(head: list[str], rows: list[list[str]], texts: tuple[int, ...] = (0,)) -> str:
    """Return a table of markup; the columns in ``texts`` are aligned to the left."""

    def cells(name: str, values: list[str]) -> str:
        places = enumerate(values)
        return "".join(element(name, value, class_="text" if place in texts else None) for place, value in places)

    body = "".join(element("tr", cells("td", row)) for row in rows)
    return element(
        "div", element("table", element("thead", element("tr", cells("th", head))) + element("tbody", body)),
        class_="wide",
    )  # fmt: skip

"""Draws a chart with matplotlib, through its object interface: nothing of one picture is left for the next."""

from __future__ import annotations

import io
import math
import textwrap
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from forecast_service.charts.model import Chart, Kind, Line, Picture
from forecast_service.charts.words import number, short_day

_INCHES = (10.0, 5.625)
"""The shape of a slide, 16 by 9."""
_PIXELS_PER_INCH = 160
_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))
_INK, _FAINT = "#1A1A1A", "#5A5A5A"
_LEFT, _RIGHT = 0.075, 0.765
_LETTERS = 20
"""Of a name beside its line."""
_LABEL_HEIGHT = 0.052
"""Share of the height of the axes that a label at the end of a line takes."""


def draw(chart: Chart, kind: Kind) -> Picture:
    """Return a chart as an SVG or PNG file. The same chart gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    chart = _printable(chart)
    with mpl.rc_context({"svg.hashsalt": "castor", "font.size": 11, "text.parse_math": False}):
        figure = Figure(figsize=_INCHES, dpi=_PIXELS_PER_INCH)
        axes = figure.add_axes((_LEFT, 0.15, _RIGHT - _LEFT, 0.66))
        for place, line in enumerate(chart.lines):
            # Where dashes say what is expected, known values have none.
            _draw_line(axes, line, "solid" if line.ahead_dates else _DASHES[place % len(_DASHES)])
        _draw_axes(axes, chart)
        _label_lines(axes, chart)
        _draw_words(figure, chart)
        content = _file(figure, chart, kind)
    return Picture(content, kind, chart.description)


def _printable(chart: Chart) -> Chart:
    """Return the chart without characters that neither a font nor XML has, such as control characters in a name."""
    lines = [replace(line, name=_clean(line.name)) for line in chart.lines]
    title, subtitle, description = map(_clean, (chart.title, chart.subtitle, chart.description))
    return replace(
        chart, lines=lines, title=title, subtitle=subtitle, description=description, footnote=_clean(chart.footnote)
    )


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _draw_line(axes: Any, line: Line, dashes: Any) -> None:
    values = np.array([math.nan if value is None else value for value in line.values])
    if line.band is not None:
        axes.fill_between(
            line.band.dates, line.band.lows, line.band.highs, color=line.colour, alpha=0.18, linewidth=0, zorder=1
        )
    if line.dots:
        days, shares = zip(*line.dots, strict=True)
        axes.scatter(days, shares, s=14, color=line.colour, alpha=0.55, linewidths=0, zorder=2)
    axes.plot(line.dates, values, color=line.colour, linewidth=2, linestyle=dashes, zorder=3)
    alone = _between_gaps(values)
    axes.scatter(np.array(line.dates)[alone], values[alone], s=12, color=line.colour, zorder=3)
    axes.plot(line.ahead_dates, line.ahead_values, color=line.colour, linewidth=2.4, linestyle=(0, (2, 1.5)), zorder=4)


def _between_gaps(values: Any) -> Any:
    """Return the places of values without a neighbour, which no line would show."""
    missing = np.concatenate([[True], np.isnan(values), [True]])
    return np.flatnonzero(~missing[1:-1] & missing[:-2] & missing[2:])


def _draw_axes(axes: Any, chart: Chart) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    axes.tick_params(colors=_FAINT, length=0)
    axes.set_axisbelow(True)
    axes.margins(x=0.01, y=0.06)
    if chart.bounds:
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, chart.bounds[0]), min(high, chart.bounds[1]))
    _label_days(axes, chart)
    begun = [line.ahead_dates[0] for line in chart.lines if line.ahead_dates]
    if begun:
        axes.axvline(min(begun), color=_FAINT, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)


def _label_days(axes: Any, chart: Chart) -> None:
    """Put about seven days on the axis, with the year where it begins or the axis does."""
    from matplotlib.dates import AutoDateLocator, num2date
    from matplotlib.ticker import FuncFormatter

    axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=8))  # type: ignore[no-untyped-call]
    years: list[int] = []

    def label(value: float, place: int | None) -> str:
        day = num2date(value).date()  # type: ignore[no-untyped-call]
        if not place:
            years.clear()
        name = short_day(day, chart.language)
        if day.year not in years:
            years.append(day.year)
            return f"{name}\n{day.year}"
        return name

    axes.xaxis.set_major_formatter(FuncFormatter(label))


def _label_lines(axes: Any, chart: Chart) -> None:
    """Write each line's name and last value at its end; names that would overlap are moved apart."""
    low, high = axes.get_ylim()
    ends = [(_last(line), line) for line in chart.lines]
    places = moved_apart([(value - low) / (high - low) for value, _ in ends])
    for place, (value, line) in zip(places, ends, strict=True):
        words = line.name if len(line.name) <= _LETTERS else line.name[: _LETTERS - 1].rstrip() + "…"
        axes.text(
            1.015, place, f"{words} {number(value, chart.language)}", transform=axes.transAxes, va="center",
            color=_readable(line.colour), fontsize=10.5, fontweight="bold",
        )  # fmt: skip


def _last(line: Line) -> float:
    known = [value for value in line.values if value is not None]
    return line.ahead_values[-1] if line.ahead_values else known[-1]


def moved_apart(places: list[float]) -> list[float]:
    """Return places from 0 to 1, each at least a label's height above the one below it."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = list(places)
    for before, at in pairwise(order):
        moved[at] = max(moved[at], moved[before] + _LABEL_HEIGHT)
    over = max(0.0, max(moved, default=0.0) - 1)
    limit = math.inf
    for at in reversed(order):
        moved[at] = min(moved[at] - over if limit is math.inf else moved[at], limit - _LABEL_HEIGHT)
        limit = moved[at]
    return moved


def _readable(colour: str) -> str:
    """Return the colour, darkened where it would be too light for letters on white (WCAG contrast 4.5)."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    while _luminance(parts) > 0.18:
        parts = [int(part * 0.9) for part in parts]
    return "#" + "".join(f"{part:02X}" for part in parts)


def _luminance(parts: list[int]) -> float:
    linear = [(part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4) for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _draw_words(figure: Any, chart: Chart) -> None:
    title = textwrap.shorten(chart.title, 80, placeholder="…")
    figure.text(_LEFT, 0.945, title, fontsize=17, fontweight="bold", color=_INK, va="center")
    figure.text(_LEFT, 0.885, chart.subtitle, fontsize=11.5, color=_FAINT, va="center")
    figure.text(_LEFT, 0.83, chart.unit, fontsize=10, color=_FAINT, va="center")
    figure.text(_LEFT, 0.02, textwrap.fill(chart.footnote, 150), fontsize=8.5, color=_FAINT, va="bottom")


def _file(figure: Any, chart: Chart, kind: Kind) -> bytes:
    written = io.BytesIO()
    if kind == "png":
        figure.savefig(written, format="png", metadata={"Title": chart.title, "Description": chart.description})
        return written.getvalue()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return _with_text(written.getvalue().decode(), chart).encode()


def _with_text(svg: str, chart: Chart) -> str:
    """Return the SVG with its title and description where screen readers look for them."""
    words = (
        f'<title id="castor-title">{escape(chart.title)}</title>\n'
        f'<desc id="castor-desc">{escape(chart.description)}</desc>\n'
    )
    begin = svg.index(">", svg.index("<svg")) + 1
    opened = svg[: begin - 1] + f' role="img" lang="{chart.language}" aria-labelledby="castor-title castor-desc">'
    return opened + "\n" + words + svg[begin:]

"""Charts as inline SVG. Values stand in the tables too: a chart shows, a table says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from castor_devstack.job.html.markup import day, element, number, percent, text
from castor_devstack.job.html.style import NEGATIVE, NEUTRAL, POSITIVE

WIDTH = 920
NAME_WIDTH = 190
ROW = 40
MAX_BARS = 180
"""More days than this are added up by week."""
Json = dict[str, Any]
Scale = tuple[float, float]


def sentiment_bars(rows: Sequence[tuple[str, Json]]) -> str:
    """Return a bar of shares for each name: negative, neutral, positive."""
    parts = [_sentiment_row(place, name, counts) for place, (name, counts) in enumerate(rows)]
    return _svg(WIDTH, ROW * len(rows) + 4, "".join(parts), "Sentimiento")


def _sentiment_row(place: int, name: str, counts: Json) -> str:
    top, left = place * ROW + 6, float(NAME_WIDTH)
    drawn = _text(0, top + 19, name, class_="name")
    if not counts["scored"]:
        return drawn + _text(left, top + 19, "sin tuits evaluados")
    for label, colour in (("negative", NEGATIVE), ("neutral", NEUTRAL), ("positive", POSITIVE)):
        share = counts[label] / counts["scored"]
        width = share * (WIDTH - NAME_WIDTH - 4)
        drawn += element("rect", x=f"{left:.1f}", y=top, width=f"{width:.1f}", height=28, fill=colour)
        if share >= 0.06:
            style = None if label == "neutral" else "fill:#fff"
            drawn += _text(left + width / 2, top + 19, percent(share), text_anchor="middle", style=style)
        left += width
    return drawn


def volume(days: Sequence[Json]) -> str:
    """Return tweets by day, or by week where the days are many."""
    bars = _by_week(days) if len(days) > MAX_BARS else [(one["date"], one["tweets"]) for one in days]
    height, most = 170, max((tweets for _, tweets in bars), default=1) or 1
    step = (WIDTH - 50) / max(1, len(bars))
    drawn = "".join(_grid(value, 140 - 130 * value / most, 46) for value in (0, most / 2, most))
    for place, (_, tweets) in enumerate(bars):
        tall = 130 * tweets / most
        x, wide = 48 + place * step, max(0.6, step * 0.8)
        drawn += element("rect", x=f"{x:.1f}", y=f"{140 - tall:.1f}", width=f"{wide:.1f}", height=f"{tall:.1f}",
                         fill="#5b7fa6")  # fmt: skip
    drawn += _dates([one for one, _ in bars], lambda place: 48 + (place + 0.4) * step, 160)
    return _svg(WIDTH, height, drawn, "Tuits por semana" if len(days) > MAX_BARS else "Tuits por día")


def week_intervals(rows: Sequence[tuple[str, str, Json]]) -> str:
    """Return the index of this week and the week before with their intervals, all on one scale.

    ``rows``: name, colour and the two weeks of an entity.
    """
    ends = [week[end] for _, _, weeks in rows for week in (weeks["now"], weeks["before"]) for end in ("low", "high")]
    known = [value for value in ends if value is not None]
    low, high = _rounded_scale((min(known), max(known)) if known else (0, 100))

    def at(value: float) -> float:
        return NAME_WIDTH + (value - low) / (high - low) * (WIDTH - NAME_WIDTH - 30)

    height = ROW * len(rows)
    drawn = "".join(_tick(at(value), value, height) for value in _ticks((low, high)))
    for place, (name, colour, weeks) in enumerate(rows):
        middle = place * ROW + ROW / 2
        drawn += _text(0, middle + 4, name, class_="name")
        drawn += _interval(weeks["before"], at, middle + 6, "#a9b0b8")
        drawn += _interval(weeks["now"], at, middle - 6, colour)
        if weeks["now"]["icce"] is None:
            drawn += _text(NAME_WIDTH + 6, middle - 2, "silencio: esta semana no hay tuits evaluados")
    return _svg(WIDTH, height + 26, drawn, "ICCE de esta semana y de la anterior")


def _interval(week: Json, at: Any, y: float, colour: str) -> str:
    if week["icce"] is None:
        return ""
    line = element("line", x1=f"{at(week['low']):.1f}", x2=f"{at(week['high']):.1f}", y1=y, y2=y, stroke=colour,
                   stroke_width=3, stroke_linecap="round")  # fmt: skip
    return line + element("circle", cx=f"{at(week['icce']):.1f}", cy=y, r=5, fill=colour)


def index_chart(one: Json, colour: str, scale: Scale) -> str:
    """Return an entity's index by day (dots), smoothed (line, broken where nothing was observed), and its forecast."""
    width, height = 380, 190
    dates = [date.fromisoformat(item["date"]) for item in [*one["series"], *one["points"]]]
    first, last = min(dates), max(dates)
    low, high = scale

    def x(value: str) -> float:
        days = (date.fromisoformat(value) - first).days
        return 34 + days / max(1, (last - first).days) * (width - 44)

    def y(value: float) -> float:
        return 150 - (min(max(value, low), high) - low) / (high - low) * 140

    drawn = "".join(_grid(value, y(value), 30, width) for value in _ticks(scale))
    drawn += _fan(one["points"], x, y, colour)
    for day_ in one["series"]:
        if day_["icce"] is not None:
            cx, cy = f"{x(day_['date']):.1f}", f"{y(day_['icce']):.1f}"
            drawn += element("circle", cx=cx, cy=cy, r=1.8, fill=colour, opacity=0.35)
    for known, days in groupby(one["series"], key=lambda item: item["smoothed"] is not None):
        if known:
            drawn += _line([(x(item["date"]), y(item["smoothed"])) for item in days], colour, 2)
    drawn += _text(34, 172, day(first)) + _text(width - 10, 172, day(last), text_anchor="end")
    return _svg(width, height - 8, drawn, f"ICCE de {one['name']}")


def _fan(points: Sequence[Json], x: Any, y: Any, colour: str) -> str:
    if not points:
        return ""
    edge = [(x(one["date"]), y(one["high"])) for one in points]
    edge += [(x(one["date"]), y(one["low"])) for one in reversed(points)]
    shape = " ".join(f"{left:.1f},{top:.1f}" for left, top in edge)
    middle = [(x(one["date"]), y(one["value"])) for one in points]
    return element("polygon", points=shape, fill=colour, opacity=0.16) + _line(middle, colour, 1.5, "4 3")


def _line(places: Sequence[tuple[float, float]], colour: str, width: float, dashes: str | None = None) -> str:
    if len(places) == 1:
        return element("circle", cx=f"{places[0][0]:.1f}", cy=f"{places[0][1]:.1f}", r=width, fill=colour)
    path = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    return element("polyline", points=path, fill="none", stroke=colour, stroke_width=width, stroke_dasharray=dashes)


def scale_of(values: Sequence[float | None]) -> Scale:
    """Return a scale in tens around all values that are known, at most 0 to 100."""
    known = [value for value in values if value is not None]
    return _rounded_scale((min(known), max(known)) if known else (0, 100))


def _rounded_scale(ends: Scale) -> Scale:
    low, high = max(0, ends[0] // 10 * 10), min(100, -(-ends[1] // 10) * 10)
    return (low, high) if high > low else (low, low + 10)


def _ticks(scale: Scale) -> list[float]:
    low, high = scale
    step = 10 if high - low <= 70 else 20
    return [low + step * place for place in range(int((high - low) // step) + 1)]


def _by_week(days: Sequence[Json]) -> list[tuple[str, int]]:
    weeks: dict[date, int] = {}
    for one in days:
        found = date.fromisoformat(one["date"])
        monday = found - timedelta(days=found.weekday())
        weeks[monday] = weeks.get(monday, 0) + one["tweets"]
    return [(week.isoformat(), tweets) for week, tweets in sorted(weeks.items())]


def _grid(value: float, y: float, left: int, width: int = WIDTH) -> str:
    line = element("line", x1=left, x2=width - 2, y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="#e3e7eb")
    return line + _text(left - 5, y + 4, number(value), text_anchor="end")


def _tick(x: float, value: float, height: int) -> str:
    line = element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=height, stroke="#e3e7eb")
    return line + _text(x, height + 18, number(value), text_anchor="middle")


def _dates(dates: Sequence[str], at: Any, y: float) -> str:
    if not dates:
        return ""
    places = sorted({0, len(dates) // 2, len(dates) - 1})
    anchors = {0: "start", len(dates) - 1: "end"}
    return "".join(_text(at(place), y, day(dates[place]), text_anchor=anchors.get(place, "middle")) for place in places)


def _text(x: float, y: float, value: str, **attributes: object) -> str:
    return element("text", text(value), x=f"{x:.1f}", y=f"{y:.1f}", **attributes)


def _svg(width: int, height: float, content: str, label: str) -> str:
    return element("svg", content, viewBox=f"0 0 {width} {height:.0f}", role="img", aria_label=label)

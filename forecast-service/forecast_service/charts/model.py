"""What a picture shows, in the terms of any chart of values by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["svg", "png"]
Language = Literal["es", "en"]


@dataclass(frozen=True, slots=True)
class Band:
    """Lower and upper values by day, drawn as an area."""

    dates: list[date]
    lows: list[float]
    highs: list[float]


@dataclass(frozen=True, slots=True)
class Line:
    """One named series: known values (None breaks the line), what is expected after them, and dots beside it."""

    name: str
    colour: str
    dates: list[date]
    values: list[float | None]
    ahead_dates: list[date] = field(default_factory=list)
    ahead_values: list[float] = field(default_factory=list)
    band: Band | None = None
    dots: list[tuple[date, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its words; ``description`` is its text alternative. ``bounds``: the axis does not pass them."""

    title: str
    subtitle: str
    unit: str
    lines: list[Line]
    footnote: str
    description: str
    language: Language
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a rendered chart."""

    content: bytes
    kind: Kind
    description: str

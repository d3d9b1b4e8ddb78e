"""The table of service level objectives, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "observability"
TABLE = CHART / "slo.yaml"
WINDOWS = ("5m", "30m", "1h", "6h", "3d")
"""Those that the burn-rate alerts look at (SRE workbook, chapter 5: 1h/5m, 6h/30m, 3d/6h)."""


@dataclass(frozen=True)
class Latency:
    """One group of routes that must answer within ``seconds``."""

    name: str
    seconds: float
    routes: tuple[str, ...]


@dataclass(frozen=True)
class Objective:
    """What one service promises."""

    service: str
    availability: float
    latency: tuple[Latency, ...]
    untimed: tuple[str, ...]
    success_rate: float
    p95_seconds: float
    leases: Mapping[str, str]
    """Names of the work that one replica does, and what it does."""


@dataclass(frozen=True)
class Table:
    """All of ``slo.yaml``."""

    period: str
    latency_target: float
    objectives: tuple[Objective, ...]
    external_metrics: dict[str, str]
    target_labels: tuple[str, ...]


def load(path: Path = TABLE) -> Table:
    """Read the table; raises ``KeyError`` when a service lacks an entry."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text())
    return Table(
        period=raw["period"],
        latency_target=raw["latency_target"],
        objectives=tuple(_objective(name, entry) for name, entry in raw["services"].items()),
        external_metrics=raw["external_metrics"],
        target_labels=tuple(raw["target_labels"]),
    )


def _objective(service: str, entry: dict[str, Any]) -> Objective:
    groups = (Latency(name, group["seconds"], tuple(group["routes"])) for name, group in entry["latency"].items())
    return Objective(
        service=service,
        availability=entry["availability"],
        latency=tuple(groups),
        untimed=tuple(entry["untimed"]),
        success_rate=entry["canary"]["success_rate"],
        p95_seconds=entry["canary"]["p95_seconds"],
        leases=entry["leases"],
    )


def pattern(routes: tuple[str, ...]) -> str:
    """Return a regular expression that matches exactly ``routes``; ``none`` when there are none.

    Braces stand in character classes: a backslash would have to be escaped once more in PromQL and in YAML.
    """
    return "|".join(route.replace("{", "[{]").replace("}", "[}]") for route in routes) or "none"


def bound(seconds: float) -> str:
    """Return ``seconds`` as the client library writes the label ``le``."""
    return str(float(seconds))


def markdown(table: Table) -> str:
    """Return the objectives as the table of docs/operations.md."""
    lines = ["| service | available | 95 % of answers within |", "|---|---|---|"]
    for one in table.objectives:
        groups = ", ".join(f"{group.name} {group.seconds:g} s" for group in one.latency)
        lines.append(f"| {one.service} | {one.availability * 100:g} % | {groups} |")
    return "\n".join(lines)


def leases(table: Table) -> str:
    """Return the work that one replica does at a time as the table of docs/operations.md."""
    lines = ["| lease | what its holder does |", "|---|---|"]
    return "\n".join(
        lines + [f"| `{name}` | {does} |" for one in table.objectives for name, does in one.leases.items()]
    )

"""A chart's README.md: its values and their defaults, from the comments of values.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from chart_schemas import secret_fields
from chart_tools import CHARTS, CONSOLE, settings_of

from castor_devstack.stack.services import SERVICES

OTHERS = ("common", "castor", "gateway", "trial", "observability")
GENERATED = "<!-- Generated from values.yaml: UPDATE_CHARTS=1 make charts -->"
_ENTRY = re.compile(r"^(?P<indent> *)(?P<key>[\w-]+):(?P<value>.*?)(?: # (?P<said>.*))?$")
Row = tuple[str, str, str]


def rows(text: str) -> Iterator[Row]:
    """Yield path, default and comment of each entry of a values.yaml that has a default of its own or a comment."""
    path: list[str] = []
    comment: list[str] = []
    loaded = yaml.safe_load(text)
    for line in text.splitlines():
        if line.startswith("# Values of "):
            continue
        found = _ENTRY.match(line)
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip("# "))
        elif found is None:
            comment = []
        else:
            path = [*path[: len(found["indent"]) // 2], found["key"]]
            said = " ".join([*comment, found["said"] or ""]).strip()
            value = found["value"].strip() or _listed(loaded, path)
            if value or said:
                yield ".".join(path), value, said
            comment = []


def _listed(loaded: Any, path: list[str]) -> str:
    """Return the default of an entry that stands on lines of its own, when it is a list."""
    for key in path:
        loaded = loaded[key]
    return json.dumps(loaded) if isinstance(loaded, list) else ""


def table(entries: list[Row]) -> str:
    """Return rows as a table of Markdown."""
    lines = ["| value | default | |", "|---|---|---|"]
    for path, default, said in entries:
        cells = f"`{path}`", f"`{default}`" if default else "", said
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)


def readme(name: str) -> str:
    """Return what README.md of a chart should hold."""
    chart = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())
    own = table([*rows((CHARTS / name / "values.yaml").read_text())])
    service = next((each for each in (*SERVICES, CONSOLE) if each.name == name), None)
    parts = [f"# {name}", GENERATED, chart["description"]]
    if service is None:
        return "\n\n".join([*parts, "## Values", own]) + "\n"
    settings = settings_of(service)
    secrets = ", ".join(f"`{field.upper()}`" for field in sorted(secret_fields(settings)))
    install = f"""    helm dependency update charts/{name}
    helm upgrade --install {name} charts/{name} -n castor -f charts/values/production.yaml --timeout 40m
    helm test {name} -n castor"""
    differ = "Those that differ from [common](../common/README.md), which has the values of all charts."
    named = (
        f"Under `config`, by the names of their environment variables: [what they are for](../../{name}/README.md), "
        f"[types and limits](values.schema.json). In the Secret instead: {secrets}."
    )
    return "\n\n".join([*parts, install, "## Values", differ, own, "## Settings", named]) + "\n"


def charts() -> list[str]:
    """Return the charts that have a README of values."""
    return [*OTHERS, *(service.name for service in (*SERVICES, CONSOLE))]


def update() -> None:
    """Write README.md of every chart."""
    for name in charts():
        (CHARTS / name / "README.md").write_text(readme(name))

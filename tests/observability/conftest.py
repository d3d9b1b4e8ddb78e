"""Everything that Prometheus and Grafana are given, read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.observability import slo
from tools.observability.promql import Query, parse

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Named:
    """A query and where it stands."""

    where: str
    text: str

    @property
    def query(self) -> Query:
        """What it names."""
        return parse(self.text)


@pytest.fixture(scope="session")
def table() -> slo.Table:
    """The objectives."""
    return slo.load()


@pytest.fixture(scope="session")
def rules() -> list[dict[str, Any]]:
    """Every recording rule and alert."""
    files = sorted((slo.CHART / "files" / "rules").glob("*.yaml"))
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


@pytest.fixture(scope="session")
def queries(rules: list[dict[str, Any]]) -> list[Named]:
    """Every query of a rule, a dashboard or the canary analysis."""
    found = [Named(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules]
    for file in sorted((slo.CHART / "files" / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            where = f"{file.name}: {panel['title']}"
            found += [Named(where, target["expr"]) for target in panel.get("targets", ())]
    analysis = yaml.safe_load((ROOT / "charts/common/files/analysis.yaml").read_text())
    for metric in analysis["metrics"]:
        # Argo's arguments stand inside of strings, where any text may, or are numbers.
        text = metric["provider"]["prometheus"]["query"].replace("{{args.minimum-requests}}", "50")
        found.append(Named(f"analysis: {metric['name']}", text))
    return found

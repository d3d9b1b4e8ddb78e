"""Grafana dashboards as JSON that is the same on every machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from tools.observability.panels import CACHED, OVERVIEW, OWN, RED, Panel, chassis
from tools.observability.slo import CHART, Objective, Table

_WIDTH, _HEIGHT, _PER_ROW = 8, 7, 3
Row = tuple[str, Sequence[Panel]]
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Where series have no namespace, as on one machine, "All" matches them.
_NAMESPACE = {
    "name": "namespace", "type": "query", "label": "Namespace", "datasource": _SOURCE, "refresh": 2, "sort": 1,
    "query": "label_values(castor_http_requests_in_flight, namespace)", "includeAll": True, "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
}  # fmt: skip


def render(table: Table) -> dict[str, str]:
    """Return the JSON of each dashboard by its name: ``overview``, and one per service."""
    boards = {"overview": _board("overview", "CASTOR overview", [("All services", OVERVIEW)])}
    for objective in table.objectives:
        service = objective.service
        rows: list[Row] = [
            ("Requests", RED),
            (f"What {service} does", OWN[service]),
            ("Peers, background, resources", _chassis(objective)),
        ]
        boards[service] = _board(service, f"CASTOR {service}", rows, job=service)
    return {name: json.dumps(board, indent=1, sort_keys=True) + "\n" for name, board in boards.items()}


def _chassis(objective: Objective) -> tuple[Panel, ...]:
    values = yaml.safe_load((CHART.parent / objective.service / "values.yaml").read_text())
    return chassis(
        calls=objective.service != "auth-service",  # which the others ask for keys and revocations
        database="DATABASE_URL" in values.get("secrets", {}).get("required", ()),
        leases=bool(objective.leases),
        cache=objective.service in CACHED,
    )


def _board(name: str, title: str, rows: Sequence[Row], job: str | None = None) -> dict[str, Any]:
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"},
        _NAMESPACE,
    ]
    if job is not None:
        variables.append({"name": "job", "type": "constant", "query": job, "hide": 2})
    return {
        "uid": f"castor-{name}", "title": title, "tags": ["castor"], "schemaVersion": 39, "version": 1,
        "editable": False, "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "timezone": "utc",
        "templating": {"list": variables}, "panels": _laid_out(rows),
        "links": [{"type": "dashboards", "tags": ["castor"], "title": "CASTOR", "asDropdown": True}],
    }  # fmt: skip


def _laid_out(rows: Sequence[Row]) -> list[dict[str, Any]]:
    laid: list[dict[str, Any]] = []
    top = 0
    for title, panels in rows:
        laid.append({"id": len(laid) + 1, "type": "row", "title": title, "panels": [], "collapsed": False,
                     "gridPos": {"h": 1, "w": 24, "x": 0, "y": top}})  # fmt: skip
        top += 1
        for number, panel in enumerate(panels):
            x, y = number % _PER_ROW * _WIDTH, top + number // _PER_ROW * _HEIGHT
            laid.append(_graph(len(laid) + 1, panel, {"h": _HEIGHT, "w": _WIDTH, "x": x, "y": y}))
        top += -(-len(panels) // _PER_ROW) * _HEIGHT
    return laid


def _graph(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": None if panel.threshold == 0 else 0}
    if panel.threshold is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.threshold}]
        defaults |= {
            "thresholds": {"mode": "absolute", "steps": steps},
            "custom": {"thresholdsStyle": {"mode": "line"}},
        }
    targets = [
        {"refId": chr(ord("A") + n), "expr": query, "legendFormat": legend or "__auto", "datasource": _SOURCE}
        for n, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number, "type": "timeseries", "title": panel.title, "gridPos": place, "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []}, "targets": targets,
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }  # fmt: skip

"""The recording rules behind the burn-rate alerts.

Every objective becomes two rates with the labels ``namespace``, ``job`` and ``slo``: requests, and errors among them.
What follows (ratio, alerts, dashboards) is then the same for availability and latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tools.observability.slo import WINDOWS, Latency, Objective, Table, bound, pattern

_COUNT = "castor_http_request_duration_seconds_count"
_BUCKET = "castor_http_request_duration_seconds_bucket"
_SEEN = "namespace:castor_seen:info"
_RATE = "namespace_job_slo:castor_"
_GOOD = 'status!~"5..|499"'
HEADER = "# Generated from charts/observability/slo.yaml by 'python -m tools.observability write'; do not edit.\n"
Rule = dict[str, Any]


def render(table: Table) -> str:
    """Return the rule file."""
    groups: list[dict[str, Any]] = [{"name": "castor-objectives", "rules": list(_objectives(table))}]
    for window in WINDOWS:
        rules = [*_availability(window), *_latencies(table, window), _ratio(window)]
        groups.append({"name": f"castor-slo-{window}", "rules": rules})
    return HEADER + yaml.safe_dump({"groups": groups}, sort_keys=False, width=200)


def _objectives(table: Table) -> Iterator[Rule]:
    jobs = "|".join(one.service for one in table.objectives)
    yield {"record": _SEEN, "expr": f'group by (namespace) (last_over_time(up{{job=~"{jobs}"}}[6h]))'}
    for one in table.objectives:
        yield _record("job:castor_expected:info", _SEEN, one.service)
        yield _budget(1 - one.availability, one.service, "availability")
        for group in one.latency:
            yield _budget(1 - table.latency_target, one.service, group.name)
        for lease in one.leases:
            scraped = f'group by (namespace) (up{{job="{one.service}"}})'
            yield _record("job_lease:castor_lease_expected:info", scraped, one.service, lease=lease)


def _budget(share: float, service: str, slo: str) -> Rule:
    return _record("job_slo:castor_error_budget:ratio", f"vector({share:.6g})", service, slo=slo)


def _record(record: str, expr: str, service: str, **labels: str) -> Rule:
    return {"record": record, "expr": expr, "labels": {"job": service, **labels}}


def _availability(window: str) -> Iterator[Rule]:
    everything = f"sum by (namespace, job) (rate({_COUNT}[{window}]))"
    failed = f'sum by (namespace, job) (rate({_COUNT}{{status=~"5.."}}[{window}])) or {everything} * 0'
    yield {
        "record": f"{_RATE}requests:rate{window}",
        "expr": everything,
        "labels": {"slo": "availability"},
    }
    yield {"record": f"{_RATE}errors:rate{window}", "expr": failed, "labels": {"slo": "availability"}}


def _latencies(table: Table, window: str) -> Iterator[Rule]:
    for one in table.objectives:
        for group in one.latency:
            yield from _latency(one, group, window)


def _latency(one: Objective, group: Latency, window: str) -> Iterator[Rule]:
    where = f'job="{one.service}", route=~"{pattern(group.routes)}", {_GOOD}'
    answered = f"sum by (namespace, job) (rate({_COUNT}{{{where}}}[{window}]))"
    in_time = f'sum by (namespace, job) (rate({_BUCKET}{{{where}, le="{bound(group.seconds)}"}}[{window}]))'
    labels = {"slo": group.name}
    yield {"record": f"{_RATE}requests:rate{window}", "expr": answered, "labels": labels}
    yield {
        "record": f"{_RATE}errors:rate{window}",
        "expr": f"{answered} - {in_time}",
        "labels": labels,
    }


def _ratio(window: str) -> Rule:
    # No requests, no ratio: 0/0 would be NaN, and silence is neither success nor failure.
    expr = f"{_RATE}errors:rate{window} / ({_RATE}requests:rate{window} > 0)"
    return {"record": f"{_RATE}errors:ratio_rate{window}", "expr": expr}

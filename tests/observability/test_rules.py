"""The rules do what they say: promtool's own unit tests, and what it cannot see."""

from __future__ import annotations

import importlib
import re
import shutil
import statistics
import subprocess
from typing import Any

import pytest
import yaml

from castor_chassis import ServiceSettings
from castor_chassis.metrics import REQUESTS
from castor_devstack.stack.services import SERVICES
from tests.observability.conftest import ROOT
from tools.observability.__main__ import stale
from tools.observability.rules import render
from tools.observability.slo import CHART, WINDOWS, Latency, Objective, Table, bound, leases, markdown, pattern

RULES = sorted((CHART / "files" / "rules").glob("*.yaml"))
TESTS = sorted((CHART / "tests").glob("*.yaml"))
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian: apt-get install prometheus)"
)


@needs_promtool
def test_promtool_accepts_the_rules() -> None:
    """Every rule parses, and its templates as well."""
    done = subprocess.run(["promtool", "check", "rules", *map(str, RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_rules_behave(file: Any) -> None:
    """Fast burn, slow burn, slow answers, no traffic, recovery and every symptom are told as they should be."""
    command = ["promtool", "test", "rules", file.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_seen_to_fire(rules: list[dict[str, Any]]) -> None:
    """promtool's tests expect each alert at least once."""
    expected = set()
    for file in TESTS:
        for case in yaml.safe_load(file.read_text())["tests"]:
            for check in case.get("alert_rule_test", ()):
                expected |= {check["alertname"]} if check["exp_alerts"] else set()
            for check in case.get("promql_expr_test", ()):
                for sample in check["exp_samples"]:
                    expected |= set(re.findall(r'alertname="(\w+)"', sample["labels"]))
    assert {rule["alert"] for rule in rules if "alert" in rule} == expected


def test_every_alert_says_what_to_do(rules: list[dict[str, Any]]) -> None:
    """Each alert has a severity, a sentence, and a runbook whose heading exists."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    alerts = [rule for rule in rules if "alert" in rule]
    for alert in alerts:
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["summary"]
        assert (page, anchor) == ("docs/operations.md", alert["alert"].lower())
        assert anchor in anchors, f"docs/operations.md has no heading '{alert['alert']}'"
    named = {heading for heading in headings if heading.startswith("Castor")}
    assert named == {alert["alert"] for alert in alerts}, "a runbook without an alert"


def test_generated_files_are_those_of_the_table() -> None:
    """Recording rules and dashboards equal what the table of objectives makes."""
    assert stale() == [], "run 'python -m tools.observability write'"


def test_the_burn_rates_are_those_of_the_workbook(rules: list[dict[str, Any]]) -> None:
    """14.4 over 1h and 5m, 6 over 6h and 30m, 1 over 3d and 6h; each window is recorded."""
    burning = {rule["alert"]: rule["expr"] for rule in rules if rule.get("alert", "").startswith("CastorErrorBudget")}
    read = {
        name: (set(re.findall(r"ratio_rate(\w+)", text)), set(re.findall(r"\) ([\d.]+) \* job_slo", text)) or {"1"})
        for name, text in burning.items()
    }
    assert read == {
        "CastorErrorBudgetBurnsFast": ({"1h", "5m"}, {"14.4"}),
        "CastorErrorBudgetBurns": ({"6h", "30m"}, {"6"}),
        "CastorErrorBudgetLeaks": ({"3d", "6h"}, {"1"}),
    }
    assert {window for windows, _ in read.values() for window in windows} == {*WINDOWS}


def test_every_limit_is_a_bound_of_the_histogram(table: Table) -> None:
    """A latency objective between two bounds could not be counted."""
    bounds = {bound(limit) for limit in REQUESTS._kwargs["buckets"]}
    assert {bound(group.seconds) for one in table.objectives for group in one.latency} <= bounds


def test_every_route_has_an_objective(table: Table) -> None:
    """Each route of each contract is in exactly one latency group or said to be untimed, and no other is named."""
    for one in table.objectives:
        contract = yaml.load((ROOT / "contracts" / f"{one.service}.v1.yaml").read_text(), yaml.CSafeLoader)
        named = [route for group in one.latency for route in group.routes] + [*one.untimed]
        assert sorted(named) == sorted(contract["paths"]), one.service


def test_a_pattern_matches_its_routes_only() -> None:
    """A parameter's braces are no repetition, and one route does not match another's."""
    made = re.compile(pattern(("/v1/a/{id}", "/v1/a")))
    assert [bool(made.fullmatch(text)) for text in ("/v1/a/{id}", "/v1/a", "/v1/a/feed", "/v1/a/{id}/b")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not re.fullmatch(pattern(()), "/v1/a")


def test_an_objective_becomes_rules() -> None:
    """A new service needs no new rule by hand: budgets, leases and both rates per window are made from its entry."""
    one = Objective("new-service", 0.99, (Latency("all", 0.25, ("/v1/new/x",)),), (), 0.99, 1, {"work": "does it"})
    made = yaml.safe_load(render(Table("30d", 0.95, (one,), {}, ())))["groups"]
    constants = {(rule["record"], rule["expr"]) for rule in made[0]["rules"]}
    assert ("job_slo:castor_error_budget:ratio", "vector(0.01)") in constants
    assert ("job_lease:castor_lease_expected:info", 'group by (namespace) (up{job="new-service"})') in constants
    assert ("job:castor_expected:info", "namespace:castor_seen:info") in constants
    latency = [rule for group in made[1:] for rule in group["rules"] if rule.get("labels") == {"slo": "all"}]
    assert len(latency) == 2 * len(WINDOWS)
    assert 'le="0.25"' in latency[1]["expr"]


def test_the_objectives_are_those_of_the_handbook(table: Table) -> None:
    """docs/operations.md shows the tables of objectives and of leases as they are."""
    handbook = (ROOT / "docs" / "operations.md").read_text()
    assert markdown(table) in handbook
    assert leases(table) in handbook


def test_the_handbook_counts_connections_as_the_settings_do(table: Table) -> None:
    """max_connections is computed from it; and no pool is so small that leases leave nothing to requests."""
    least, sizes = 2, {}
    for service in SERVICES:
        code = "\n".join(file.read_text() for file in (ROOT / service.name / service.package).rglob("*.py"))
        held = {*re.findall(r'spawn_under_lease\(\s*"(\w+)"', code)} | _named(table, service.name)
        module = importlib.import_module(f"{service.package}.settings")
        (settings,) = (one for one in vars(module).values() if _is_settings_of(one, module.__name__))
        size = settings.model_fields["database_pool_size"]
        assert size.default >= len(held) + least, service.name
        if "database_pool_size" in settings.__annotations__:
            assert [rule.ge > len(held) for rule in size.metadata if hasattr(rule, "ge")] == [True], service.name
        sizes[service.name.removesuffix("-service")] = size.default
    usual = statistics.mode(sizes.values())
    others = ", ".join(f"{name} {size}" for name, size in sizes.items() if size != usual)
    assert f"`DATABASE_POOL_SIZE` ({usual}; {others})" in (ROOT / "docs" / "operations.md").read_text()


def _named(table: Table, service: str) -> set[str]:
    """Return the leases of a service, without its prefix."""
    return {name.partition(":")[2] for one in table.objectives if one.service == service for name in one.leases}


def _is_settings_of(found: object, module: str) -> bool:
    return isinstance(found, type) and issubclass(found, ServiceSettings) and found.__module__ == module

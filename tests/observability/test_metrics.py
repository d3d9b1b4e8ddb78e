"""Rules and dashboards name only what the services export."""

from __future__ import annotations

import asyncio
import importlib
import re
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from castor_chassis.client.transport import httpx
from tests.observability.conftest import ROOT, Named
from tools.observability.promql import Selector, parse
from tools.observability.slo import Table

SERVICES = ("auth", "sentiment", "openai", "twitter", "trending", "rag", "forecast")
CHASSIS = "castor_chassis"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}


def exported_by(package: str) -> dict[str, frozenset[str]]:
    """Return the series that ``package`` defines, each with its labels."""
    found = {}
    for metric in vars(importlib.import_module(f"{package}.metrics")).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        (family,) = metric.describe()
        for suffix in _SUFFIXES[family.type]:
            labels = {*metric._labelnames, *({"le"} if suffix == "_bucket" else ())}
            found[family.name + suffix] = frozenset(labels | ({"id", "version"} if family.type == "info" else set()))
    return found


@pytest.fixture(scope="module")
def known(table: Table, rules: list[dict[str, Any]]) -> dict[str, frozenset[str] | None]:
    """Every series there is, with its labels; None where they are not ours to know."""
    packages = [CHASSIS, *(f"{service}_service" for service in SERVICES)]
    ours: dict[str, frozenset[str] | None] = {}
    for package in packages:
        ours |= exported_by(package)
    recorded = {rule["record"]: frozenset({"job", "slo", "lease"}) for rule in rules if "record" in rule}
    return {**ours, **recorded, **dict.fromkeys(table.external_metrics)}


def test_every_metric_is_exported(queries: list[Named], known: dict[str, frozenset[str] | None]) -> None:
    """No rule, dashboard or analysis names a metric that nobody exports."""
    missing = {(q.where, s.metric) for q in queries for s in q.query.selectors if s.metric not in known}
    assert missing == set()


def test_every_label_exists(queries: list[Named], known: dict[str, frozenset[str] | None], table: Table) -> None:
    """Matchers use labels of their metric; what is grouped or joined by is a label of some metric of the query."""
    wrong = set()
    for named in queries:
        query = named.query
        everywhere = {*table.target_labels}
        for selector in query.selectors:
            labels = known[selector.metric]
            if labels is None:
                everywhere |= query.grouping
                continue
            everywhere |= labels
            used = {label for label, _, _ in selector.matchers}
            wrong |= {(named.where, selector.metric, label) for label in used - labels - {*table.target_labels}}
        wrong |= {(named.where, "grouping", label) for label in query.grouping - everywhere}
    assert wrong == set()


MADE_BY = {
    "castor_lease_held": r"spawn_under_lease\(",
    "castor_feed_": r"FeedReader|Feed\(chassis\.peer",
    "castor_cache_": r"chassis\.cache",
    "castor_database_": r"chassis\.postgres|Postgres\b",
    # auth-service verifies with its own keys; the others have them, and ended sessions, from it.
    "castor_peer_": r"(?s)\A(?!.*SigningKeys)",
    "castor_breaker_": r"(?s)\A(?!.*SigningKeys)",
    "castor_jwks_": r"(?s)\A(?!.*SigningKeys)",
    "castor_revocation_": r"(?s)\A(?!.*SigningKeys)",
}
"""What a service's code must have for a metric of the chassis to get a value, by the beginning of its name."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_panel_can_have_data(queries: list[Named], table: Table, service: str) -> None:
    """Each metric of a service's dashboard is its own, or the chassis's and made by something that its code does."""
    own, shared = exported_by(f"{service}_service"), exported_by(CHASSIS)
    code = "\n".join(path.read_text() for path in ROOT.glob(f"{service}-service/{service}_service/**/*.py"))
    board = [named for named in queries if named.where.startswith(f"{service}-service.json")]
    assert len(board) > 10
    for named in board:
        for metric in {selector.metric for selector in named.query.selectors if ":" not in selector.metric}:
            assert metric in own or metric in shared or metric in table.external_metrics, (named.where, metric)
            for beginning, needed in MADE_BY.items():
                if metric.startswith(beginning):
                    assert re.search(needed, code), (named.where, metric)


def test_every_query_knows_the_namespace(queries: list[Named]) -> None:
    """Dashboards select it, rules keep it, the canary's analysis asks for its own: one Prometheus serves several."""
    for named in queries:
        if ".json: " in named.where or named.where.startswith("analysis"):
            series = [s for s in named.query.selectors if s.metric != "job_slo:castor_error_budget:ratio"]
            assert all("namespace" in {label for label, _, _ in s.matchers} for s in series), (named.where, named.text)
        elif "vector(" not in named.text:
            assert "namespace" in named.query.grouping or ":castor_" in named.text, (named.where, named.text)


def test_every_label_value_is_one_that_the_code_sets(queries: list[Named]) -> None:
    """An alert on an outcome that no code ever counts would never fire."""
    sources = [*ROOT.glob("chassis/castor_chassis/**/*.py"), *ROOT.glob("*-service/*_service/**/*.py")]
    code = _with_paths("\n".join(path.read_text() for path in sources))
    ours = {"job", "namespace", "slo", "status", "le", "rollouts_pod_template_hash"}
    wrong = set()
    for named in queries:
        for selector in named.query.selectors:
            for label, operator, value in selector.matchers:
                if operator in ("=", "!=") and label not in ours and f'"{value}"' not in code:
                    wrong.add((named.where, label, value))
    assert wrong == set()


def _with_paths(code: str) -> str:
    # A route's label is its router's prefix and its own path together.
    prefixes = re.findall(r'prefix="(/[^"]+)"', code)
    paths = re.findall(r'router\.\w+\(\s*"([^"]+)"', code)
    return code + "".join(f'"{prefix}{path}"' for prefix in prefixes for path in paths)


async def _scrape(urls: dict[str, str]) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = await asyncio.gather(*(client.get(f"{url}/metrics") for url in urls.values()))
    return {name: answer.text for name, answer in zip(urls, answers, strict=True)}


async def test_the_running_services_export_them(queries: list[Named], table: Table, system: Any) -> None:
    """What is named stands in the live /metrics of the services, and every expected lease is held."""
    urls = {name: entry["management"] for name, entry in system.status()["services"].items()}
    live: set[str] = set()
    held: set[tuple[str, str]] = set()
    wanted = {(objective.service, lease) for objective in table.objectives for lease in objective.leases}
    for _ in range(60):
        for service, text in (await _scrape(urls)).items():
            for family in text_string_to_metric_families(text):
                suffixes = _SUFFIXES.get(family.type, ("",))
                live |= {family.name + suffix for suffix in suffixes}
                if family.name == "castor_lease_held":
                    held |= {(service, sample.labels["lease"]) for sample in family.samples if sample.value == 1}
        if wanted <= held:
            break
        await asyncio.sleep(0.5)
    named = {s.metric for q in queries for s in q.query.selectors if ":" not in s.metric}
    assert named - live - {"up"} == set()
    assert held == wanted


def test_the_parser_reads_what_we_write() -> None:
    """Functions, strings, ranges, offsets and durations are no metrics."""
    query = parse('max by (a) (rate(m_total{x="f(y)", z!~"b[{]c[}]"}[5m]) unless n offset 15m) > 3 * 2h and on (d) up')
    assert [selector.metric for selector in query.selectors] == ["m_total", "n", "up"]
    assert query.selectors[0] == Selector("m_total", (("x", "=", "f(y)"), ("z", "!~", "b[{]c[}]")))
    assert query.grouping == {"a", "d"}

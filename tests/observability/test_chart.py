"""The chart brings rules and dashboards into a cluster as they are."""

from __future__ import annotations

import json

import yaml
from chart_tools import Helm

from tools.observability.slo import CHART


def test_lint_finds_nothing(helm: Helm) -> None:
    """helm lint is content, strictly."""
    done = helm.run("lint", "--strict", str(CHART))
    assert done.code == 0, done.output + done.error


def test_every_rule_and_dashboard_arrives_whole(helm: Helm) -> None:
    """What is in the files is in the cluster: Helm has neither lost nor evaluated anything of theirs."""
    made = helm.parsed("template", "observability", str(CHART))
    for kind, folder in (("PrometheusRule", "rules"), ("ConfigMap", "dashboards")):
        files = sorted((CHART / "files" / folder).iterdir())
        documents = [document for document in made if document["kind"] == kind]
        assert len(documents) == len(files)
        for file in files:
            name = file.stem if kind == "PrometheusRule" else f"dashboard-{file.stem}"
            (found,) = [document for document in documents if document["metadata"]["name"] == f"castor-{name}"]
            if kind == "PrometheusRule":
                assert found["spec"] == yaml.safe_load(file.read_text())
            else:
                assert json.loads(found["data"][file.name]) == json.loads(file.read_text())


def test_runbooks_are_where_the_platform_says(helm: Helm) -> None:
    """The address of the runbooks is a value, and an address with an anchor is refused."""
    without_dashboards = ("--set", "dashboards.enabled=false")
    address = ("--set", "runbookUrl=https://wiki.example.org/castor")
    made = helm.parsed("template", "observability", str(CHART), *address, *without_dashboards)
    links = [
        rule["annotations"]["runbook_url"]
        for document in made
        for group in document["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(links) > 20
    assert all(link.startswith("https://wiki.example.org/castor#castor") for link in links)
    assert "runbookUrl" in helm.run("template", "o", str(CHART), "--set", "runbookUrl=a#b").error

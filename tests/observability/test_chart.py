"""The chart brings rules and dashboards into a cluster as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tools.observability.slo import CHART

HELM = os.environ.get("HELM") or shutil.which("helm")
pytestmark = pytest.mark.skipif(HELM is None, reason="needs helm, on the path or named by HELM")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HELM), *arguments], capture_output=True, text=True, check=False)


def rendered(*options: str) -> list[dict[str, Any]]:
    done = helm("template", "observability", str(CHART), *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def test_lint_finds_nothing() -> None:
    """helm lint is content, strictly."""
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_and_dashboard_arrives_whole() -> None:
    """What is in the files is in the cluster: Helm has neither lost nor evaluated anything of theirs."""
    made = rendered()
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


def test_runbooks_are_where_the_platform_says() -> None:
    """The address of the runbooks is a value, and an address with an anchor is refused."""
    made = rendered("--set", "runbookUrl=https://wiki.example.org/castor", "--set", "dashboards.enabled=false")
    links = [
        rule["annotations"]["runbook_url"]
        for document in made
        for group in document["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(links) > 20
    assert all(link.startswith("https://wiki.example.org/castor#castor") for link in links)
    assert "runbookUrl" in helm("template", "o", str(CHART), "--set", "runbookUrl=a#b").stderr

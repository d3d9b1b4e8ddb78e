"""What the charts render is valid for every Kubernetes that we support, and changes of it are seen in reviews."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_tools import CHARTS, RELEASES, ROOT, VALUES, WANTED, Helm, Manifest, parse

OLDEST, NEWEST = "1.31", "1.37"
BY_FILE = {"AnalysisTemplate", "ExternalSecret", "HTTPRoute", "BackendTLSPolicy", "Gateway", "Cluster", "Database"}
RENDERED = Path(__file__).parent / "rendered"
by_name = pytest.mark.parametrize("service", RELEASES)
by_values = pytest.mark.parametrize("values", VALUES)


@by_name
@by_values
def test_lint_finds_nothing(helm: Helm, service: str, values: str) -> None:
    """`helm lint --strict` has no error and no warning for any set of values."""
    file = VALUES[values]
    done = helm.run("lint", "--strict", service, *(["-f", str(file)] if file is not None else []))
    assert done.code == 0, done.output + done.error
    assert "[WARNING]" not in done.output
    assert "[ERROR]" not in done.output


@by_name
@by_values
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid(helm: Helm, service: str, values: str, version: str) -> None:
    """Each object has its kind's schema, without an unknown field, in the oldest and the newest Kubernetes."""
    manifests = helm.manifests(service, "--kube-version", f"{version}.0", values=values)
    assert len(manifests) >= 3
    for manifest in manifests:
        check(manifest, version)


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    """A cluster older than the oldest that is tested gets no release."""
    done = helm.template("sentiment-service", "--kube-version", "1.30.0")
    assert done.code != 0
    assert "requires kubeVersion: >=1.31.0-0" in done.error


@by_name
@by_values
def test_objects_are_told_apart(helm: Helm, service: str, values: str) -> None:
    """No two objects of a release share kind and name; all are in its namespace and labelled as its own."""
    manifests = helm.manifests(service, values=values)
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(names) == len(set(names))
    for manifest in manifests:
        assert manifest["metadata"]["namespace"] == "castor"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == service
        assert manifest["metadata"]["labels"]["app.kubernetes.io/part-of"] == "castor"


@by_name
def test_the_render_is_the_reviewed_one(helm: Helm, service: str) -> None:
    """The production render equals the committed one; UPDATE_CHARTS=1 writes it, and the review sees the difference."""
    done = helm.template(service, values="production")
    assert done.code == 0, done.error
    path = RENDERED / f"{service}.yaml"
    if os.environ.get("UPDATE_CHARTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(done.output)
    assert parse(done.output) == parse(path.read_text()), "changed: run UPDATE_CHARTS=1 make charts and review the diff"


def test_the_library_is_built_in_and_not_committed() -> None:
    """Each chart takes the library from beside it, of the version that it has."""
    version = yaml.safe_load((CHARTS / "common" / "Chart.yaml").read_text())["version"]
    for name in RELEASES:
        chart = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())
        assert chart["dependencies"] == [{"name": "common", "version": version, "repository": "file://../common"}]
        assert chart["name"] == name
        project = (ROOT / name / "pyproject.toml").read_text()
        assert re.search(rf'^version = "{re.escape(chart["appVersion"])}"$', project, re.MULTILINE), name
        assert (CHARTS / name / "templates" / "all.yaml").read_text() == '{{ include "common.all" . }}\n'


def check(manifest: Manifest, version: str) -> None:
    """Check one object against its schema; custom resources by their operators' models or by crds/."""
    kind = manifest["kind"]
    if kind == "Rollout":
        _check_by_file(manifest)
        strategy = {"type": "RollingUpdate"}
        spec = {**manifest["spec"], "strategy": strategy}
        spec.pop("progressDeadlineAbort")
        _check_builtin({**manifest, "apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}, version)
    elif kind in BY_FILE:
        _check_by_file(manifest)
    elif kind in ("Certificate", "ClusterIssuer", "ServiceMonitor", "PrometheusRule"):
        _check_by_model(manifest)
    else:
        _check_builtin(manifest, version)


def _check_builtin(manifest: Manifest, version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason=WANTED)
    assert validator.validate(manifest, version, strict=True) == version


def _check_by_file(manifest: Manifest) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason=WANTED)
    schema = json.loads((Path(__file__).parent / "crds" / f"{manifest['kind'].lower()}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(manifest["spec"])


def _check_by_model(manifest: Manifest) -> None:
    if manifest["kind"] in ("Certificate", "ClusterIssuer"):
        models = pytest.importorskip("cloudcoil.models.cert_manager.v1", reason=WANTED)
    else:
        models = pytest.importorskip("cloudcoil.models.prometheus_operator.v1", reason=WANTED)
    read = getattr(models, manifest["kind"]).model_validate(manifest)
    # The models ignore what they do not know; what they know comes out again.
    written: dict[str, Any] = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
    assert written["spec"] == manifest["spec"]

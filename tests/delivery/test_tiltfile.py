"""The Tiltfile, executed: what it builds, deploys and waits for."""

from __future__ import annotations

import yaml
from chart_tools import CHARTS, NAMES, RELEASES, ROOT, Helm, pods
from tilt import run_tiltfile

from castor_devstack.stack.services import SERVICES

STORING = [service.name for service in SERVICES if service.database]


def test_every_service_is_built_and_deployed() -> None:
    """One image and one chart per service and for the console, of this checkout, with the development's values."""
    tilt = run_tiltfile()
    builds, charts = tilt.named("docker_build"), tilt.named("helm")
    assert set(builds) == {f"castor/{name}" for name in RELEASES}
    assert set(charts) == {f"charts/{name}" for name in RELEASES}
    for name in RELEASES:
        assert builds[f"castor/{name}"]["build_args"] == {"SERVICE": name}
        assert {"uv.lock", "chassis", name} <= set(builds[f"castor/{name}"]["only"])
        chart = charts[f"charts/{name}"]
        assert (chart["name"], chart["namespace"]) == (name, "castor")
        assert all((ROOT / path).exists() for path in chart["values"])
    assert len(tilt.calls["deploy_cert_manager"]) == 1


def test_resources_wait_for_what_exists() -> None:
    """Whatever a resource waits for is a resource itself, and a service with a database waits for its migration."""
    needs = run_tiltfile().needs()
    assert {need for each in needs.values() for need in each} <= set(needs)
    assert {name for name in NAMES if f"{name}-migrate" in needs[name]} == set(STORING)


def test_ports_are_the_devstacks() -> None:
    """Each management port is forwarded to where the devstack has it, so that one set of addresses is learnt."""
    resources = run_tiltfile().named("k8s_resource")
    order = [name for name in resources if name in NAMES]
    assert [resources[name]["port_forwards"] for name in order] == [[f"{8601 + n}:9090"] for n in range(len(NAMES))]
    assert resources["ingress"]["port_forwards"] == ["8443:8443"]
    assert order == NAMES


def test_secrets_hold_what_the_charts_require() -> None:
    """Each Secret has every key without which a pod does not start, and none that the chart does not read."""
    secrets = {m["metadata"]["name"]: set(m["stringData"]) for m in run_tiltfile().manifests if m["kind"] == "Secret"}
    for name in NAMES:
        values = yaml.safe_load((CHARTS / name / "values.yaml").read_text())
        known = {"required": [], "optional": ["REDIS_URL"]} | values.get("secrets", {})
        assert set(known["required"]) <= secrets[name] <= {*known["required"], *known["optional"]}, name
    assert "WEBHOOK_KEY" in secrets["trending-service"]  # without it watches that name an address are refused


def test_images_in_the_charts_are_those_that_are_built(helm: Helm) -> None:
    """With the development's values a chart asks for the very image that Tilt builds."""
    built = set(run_tiltfile().named("docker_build"))
    for name in NAMES:
        manifests = helm.manifests(name, values="development")
        images = {pod["spec"]["containers"][0]["image"].split(":")[0] for _, pod in pods(manifests)}
        assert images == {f"castor/{name}"}
        assert images <= built


def test_a_laptop_can_carry_it_and_the_administrator_can_work(helm: Helm) -> None:
    """All pods together ask for less than half a core, and no role needs a second factor."""
    asked, given = run_tiltfile().named("helm"), {}
    millicores = 0
    for name in NAMES:
        options = [part for each in asked[f"charts/{name}"]["set"] for part in ("--set", each)]
        for kind, pod in pods(helm.manifests(name, *options, values="development")):
            container = pod["spec"]["containers"][0]
            if kind not in ("Job", "Pod"):
                millicores += int(container["resources"]["requests"]["cpu"].removesuffix("m"))
                given[name] = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert millicores <= 500
    assert given["auth-service"]["MFA_REQUIRED_ROLES"] == "none"

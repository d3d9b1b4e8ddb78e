"""What a release configures: access, scaling, shutdown and permissions."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from chart_tools import CHARTS, NAMES, VALUES, Helm, Manifest, of_kind, one, pods, settings_of

from castor_devstack.stack.services import SERVICES, Service

by_name = pytest.mark.parametrize("service", SERVICES, ids=NAMES)
by_values = pytest.mark.parametrize("values", VALUES)


def callers(manifests: list[Manifest]) -> set[str]:
    """Return the names on the labels by which a release's pods may call."""
    labels = {name for _, pod in pods(manifests) for name in pod["metadata"]["labels"]}
    return {label.removeprefix("castor.io/calls-") for label in labels if label.startswith("castor.io/calls-")}


def settings_in(manifests: list[Manifest]) -> dict[str, str]:
    """Return the plain variables of the pods that serve."""
    (spec,) = [pod["spec"] for kind, pod in pods(manifests) if kind not in ("Job", "Pod")]
    return {entry["name"]: entry["value"] for entry in spec["containers"][0]["env"] if "value" in entry}


@by_name
@by_values
def test_pods_are_restricted(helm: Helm, service: Service, values: str) -> None:
    """Every container meets the restricted Pod Security Standard, writes to /tmp only, has no cluster token."""
    found = list(pods(helm.manifests(service.name, values=values)))
    assert found
    for _, pod in found:
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]
            writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
            assert writable == ["/tmp"]


@by_name
@by_values
def test_a_pod_has_time_to_end(helm: Helm, service: Service, values: str) -> None:
    """A pod is killed only after the drain and the graceful shutdown that its settings say, with a margin."""
    manifests = helm.manifests(service.name, values=values)
    given, known = settings_in(manifests), settings_of(service).model_fields
    parts = ("drain_delay_seconds", "graceful_shutdown_seconds")
    needed = sum(float(given.get(part.upper(), known[part].default)) for part in parts)
    serving = [pod for kind, pod in pods(manifests) if kind not in ("Job", "Pod")]
    assert [pod["spec"]["terminationGracePeriodSeconds"] - needed for pod in serving] == [15]


@by_name
def test_probes_need_no_certificate(helm: Helm, service: Service) -> None:
    """kubelet probes the management port: life without I/O, readiness apart from it."""
    container = one(helm.manifests(service.name), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in paths.values()} == {"management"}
    assert paths["startup"]["path"] == paths["liveness"]["path"] == "/health/live"
    assert paths["readiness"]["path"] == "/health/ready"


@by_name
def test_the_network_lets_in_who_calls_and_out_to_the_peers(helm: Helm, service: Service) -> None:
    """The API port is open to labelled callers and the ingress, the management port to monitoring alone."""
    policy = one(helm.manifests(service.name, values="production"), "NetworkPolicy", service.name)["spec"]
    api, management = policy["ingress"]
    assert api["ports"] == [{"port": "api", "protocol": "TCP"}]
    assert api["from"] == [
        {"podSelector": {"matchLabels": {f"castor.io/calls-{service.name}": "true"}}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "castor"}}},  # the Gateway's
    ]
    assert management["ports"] == [{"port": "management", "protocol": "TCP"}]
    assert management["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
        {"podSelector": {"matchLabels": {f"castor.io/tests-{service.name}": "true"}}},  # helm test
    ]
    stores = ({5432} if service.database else set()) | ({465, 587} if service.name == "auth-service" else set())
    assert _ports(policy) == {53, 5353, 6379, 4317, 4318} | stores | _called(service)
    assert _peers(policy) == ({"auth-service", *service.peers} - {service.name})


def _called(service: Service) -> set[int]:
    internet = {443} if service.name in ("openai-service", "twitter-service") else set()
    return internet | ({8443} if service.name != "auth-service" else set())


def _ports(policy: dict[str, Any]) -> set[int]:
    return {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def _peers(policy: dict[str, Any]) -> set[str]:
    selectors = [target.get("podSelector", {}) for rule in policy["egress"] for target in rule["to"]]
    labels = [selector["matchLabels"] for selector in selectors if selector]
    by_label = [
        {each[key] for each in labels if key in each} for key in ("app.kubernetes.io/name", "castor.io/service")
    ]
    assert by_label[0] == by_label[1]
    return by_label[0]


@by_name
def test_the_internet_is_without_private_networks(helm: Helm, service: Service) -> None:
    """Whoever may call out may not reach the cluster, the cloud's metadata or the data centre that way."""
    policy = one(helm.manifests(service.name), "NetworkPolicy", service.name)["spec"]
    blocks = [
        target["ipBlock"]
        for rule in policy["egress"]
        for target in rule["to"]
        if "ipBlock" in target and not target["ipBlock"]["cidr"].endswith("/32")
    ]
    # A language model, X, and the mail server.
    assert len(blocks) == (service.name in ("openai-service", "twitter-service", "auth-service"))
    for block in blocks:
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(block["except"])


@by_name
def test_the_identity_is_the_service(helm: Helm, service: Service) -> None:
    """cert-manager issues spiffe://castor/<service> for a day, for both directions, with a new key each time."""
    manifests = helm.manifests(service.name)
    spec = one(manifests, "Certificate", service.name)["spec"]
    assert spec["uris"] == [f"spiffe://castor/{service.name}"]
    assert (spec["duration"], spec["renewBefore"]) == ("24h", "8h")
    assert {"server auth", "client auth"} <= set(spec["usages"])
    assert spec["privateKey"]["rotationPolicy"] == "Always"
    assert service.name in spec["dnsNames"]
    pod = one(manifests, "Deployment")["spec"]["template"]["spec"]
    assert {"secretName": spec["secretName"], "defaultMode": 0o440} in [v.get("secret") for v in pod["volumes"]]


@by_name
@pytest.mark.parametrize(("values", "kind"), [("default", "Deployment"), ("production", "Rollout")])
def test_the_autoscaler_and_the_workload_agree(helm: Helm, service: Service, values: str, kind: str) -> None:
    """The autoscaler's target is the object that is there, which leaves the number of pods to it."""
    manifests = helm.manifests(service.name, values=values)
    scaler, workload = one(manifests, "HorizontalPodAutoscaler")["spec"], one(manifests, kind)
    target = scaler["scaleTargetRef"]
    assert (target["kind"], target["apiVersion"], target["name"]) == (kind, workload["apiVersion"], service.name)
    assert "replicas" not in workload["spec"]
    assert len(of_kind(manifests, "Deployment") + of_kind(manifests, "Rollout")) == 1
    assert scaler["minReplicas"] >= 2
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 300
    # Draining a node takes one pod at a time, of at least two.
    assert one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


@by_name
def test_custom_metrics_are_exported(helm: Helm, service: Service) -> None:
    """A metric by which a service scales is one that it (or the chassis) has, and is a gauge per pod."""
    given = helm.manifests(service.name, "--set", "autoscaling.customMetrics=true", values="production")
    scaler = one(given, "HorizontalPodAutoscaler")["spec"]
    names = [metric["pods"]["metric"]["name"] for metric in scaler["metrics"] if metric["type"] == "Pods"]
    root = CHARTS.parent
    sources = [root / service.name / service.package / "metrics.py", root / "chassis/castor_chassis/metrics.py"]
    text = "".join(path.read_text() for path in sources if path.exists())
    for name in names:
        assert re.search(rf'Gauge\(\s*"{name}"', text), name
        assert name in adapter_metrics()


def adapter_metrics() -> set[str]:
    """Return the metrics that prometheus-adapter serves with our rules."""
    rules = yaml.safe_load((CHARTS / "values" / "prometheus-adapter.yaml").read_text())["rules"]
    assert rules["default"] is False
    return {rule["name"]["as"] for rule in rules["custom"]}


def test_production_needs_no_adapter(helm: Helm) -> None:
    """The production values scale by what every cluster serves."""
    for name in NAMES:
        scaler = one(helm.manifests(name, values="production"), "HorizontalPodAutoscaler")["spec"]
        assert [metric["type"] for metric in scaler["metrics"]] == ["Resource"]


@by_name
def test_a_canary_is_judged_at_every_step(helm: Helm, service: Service) -> None:
    """Each weight is followed by an analysis of the new pods alone, and every argument of it is given."""
    manifests = helm.manifests(service.name, values="production")
    steps = one(manifests, "Rollout")["spec"]["strategy"]["canary"]["steps"]
    assert [next(iter(step)) for step in steps] == ["setWeight", "analysis"] * (len(steps) // 2)
    least = one(manifests, "HorizontalPodAutoscaler")["spec"]["minReplicas"]
    # Weights are shares of pods: none promises a finer share than one pod is.
    assert all(step["setWeight"] * least >= 100 for step in steps[::2])
    assert steps[0]["setWeight"] < 50
    template = one(manifests, "AnalysisTemplate")
    expected = yaml.safe_load((CHARTS / "common" / "files" / "analysis.yaml").read_text())
    assert template["spec"]["args"] == expected["args"]
    assert [m["name"] for m in template["spec"]["metrics"]] == [m["name"] for m in expected["metrics"]]
    needed = {argument["name"] for argument in expected["args"] if "value" not in argument}
    for step in steps[1::2]:
        assert step["analysis"]["templates"] == [{"templateName": template["metadata"]["name"]}]
        given = {argument["name"]: argument for argument in step["analysis"]["args"]}
        assert needed <= set(given) <= {argument["name"] for argument in expected["args"]}
        assert given["canary-hash"]["valueFrom"] == {"podTemplateHashValue": "Latest"}
        assert (given["service"]["value"], given["namespace"]["value"]) == (service.name, "castor")
    assert one(manifests, "ServiceMonitor")["spec"]["podTargetLabels"] == ["rollouts-pod-template-hash"]


@by_name
def test_the_schema_is_migrated_before_the_pods(helm: Helm, service: Service) -> None:
    """A service with a database migrates it in a hook before install and upgrade, never before a rollback."""
    manifests = helm.manifests(service.name, values="production")
    jobs = of_kind(manifests, "Job")
    assert len(jobs) == service.database
    for job in jobs:
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]
        weights = {
            kind: int(one(manifests, kind, name)["metadata"]["annotations"]["helm.sh/hook-weight"])
            for kind, name in [
                ("ExternalSecret", service.name),
                ("NetworkPolicy", f"{service.name}-migrate"),
                ("Job", f"{service.name}-migrate-1"),
            ]
        }
        assert weights["ExternalSecret"] < weights["NetworkPolicy"] < weights["Job"]
        # Nobody's Service may send requests to it.
        selector = one(manifests, "Service")["spec"]["selector"].items()
        assert not selector <= job["spec"]["template"]["metadata"]["labels"].items()


@by_name
def test_a_changed_setting_restarts_the_pods(helm: Helm, service: Service) -> None:
    """The pod template changes with a setting, and with nothing but what the pod sees."""
    templates = [
        one(helm.manifests(service.name, *options), "Deployment")["spec"]["template"]
        for options in ((), ("--set", "config.LOG_LEVEL=DEBUG"), ("--set", "autoscaling.max=9"))
    ]
    assert templates[0] != templates[1]
    assert templates[0] == templates[2]


def test_switches_switch_off(helm: Helm) -> None:
    """A false in the values wins over the library's true, and leaves no object behind."""
    kinds = {"autoscaling": "HorizontalPodAutoscaler", "disruption": "PodDisruptionBudget"}
    kinds |= {"networkPolicy": "NetworkPolicy", "certificate": "Certificate", "migration": "Job"}
    for value, kind in kinds.items():
        on, off = (helm.manifests("rag-service", "--set", f"{value}.enabled={state}") for state in ("true", "false"))
        assert of_kind(on, kind), kind
        assert not of_kind(off, kind), kind


def test_rules_are_rendered_as_given(helm: Helm) -> None:
    """Groups of rules reach Prometheus' operator word for word, its template signs included."""
    rule = '{"alert":"X","expr":"up == 0","annotations":{"summary":"{{ $labels.job }} is down"}}'
    options = ("--set", "prometheusRule.enabled=true", "--set-json")
    groups = f'prometheusRule.groups=[{{"name":"x","rules":[{rule}]}}]'
    found = one(helm.manifests("auth-service", *options, groups), "PrometheusRule")["spec"]["groups"]
    assert found[0]["rules"][0]["annotations"]["summary"] == "{{ $labels.job }} is down"

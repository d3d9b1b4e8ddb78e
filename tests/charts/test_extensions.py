"""What a platform adds reaches the pods and the migration alike, and what a release keeps when it is upgraded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_tools import CHARTS, NAMES, ROOT, Helm, Manifest, of_kind, one, pods
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_cluster import fake_cluster
from test_manifests import NEWEST, OLDEST, check

by_name = pytest.mark.parametrize("service", NAMES)
TRUST = {"SSL_CERT_FILE": "/etc/castor/ca-bundle/ca.crt", "PGSSLROOTCERT": "/etc/castor/ca-bundle/ca.crt"}
EXTRAS: dict[str, Any] = {
    "extraEnv": [
        {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
        {"name": "AUTH_URL", "value": "https://auth:1"},
    ],
    "extraEnvFrom": [{"configMapRef": {"name": "platform"}}],
    "extraVolumes": [{"name": "models", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
    "initContainers": [{"name": "fetch", "image": "registry.example.org/fetch:1"}],
    "sidecars": [{"name": "proxy", "image": "registry.example.org/proxy:1"}],
    "caBundle": {"configMap": "corporate-ca"},
    "podSecurityContext": {"supplementalGroups": [2000]},
    "securityContext": {"runAsNonRoot": True},
    "priorityClassName": "important",
    "nodeSelector": {"pool": "castor"},
    "tolerations": [{"key": "castor", "operator": "Exists"}],
    "podLabels": {"team": "elections"},
    "podAnnotations": {"example.org/scan": "no"},
}


def given(values: dict[str, Any]) -> list[str]:
    """Return values as options of helm."""
    return [part for name, value in values.items() for part in ("--set-json", f"{name}={json.dumps(value)}")]


def egress(manifests: list[Manifest], name: str) -> list[tuple[list[Any], set[int]]]:
    """Return the targets and ports that a NetworkPolicy opens."""
    rules = one(manifests, "NetworkPolicy", name)["spec"]["egress"]
    return [(rule["to"], {port["port"] for port in rule["ports"]}) for rule in rules]


@by_name
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_extensions_reach_every_pod(helm: Helm, service: str, version: str) -> None:
    """Variables, volumes, containers, contexts and scheduling are in the pods and in the migration, and are valid."""
    manifests = helm.manifests(service, "--kube-version", f"{version}.0", *given(EXTRAS))
    for manifest in manifests:
        check(manifest, version)
    for _, pod in pods(manifests):
        spec, (container,) = pod["spec"], pod["spec"]["containers"]
        values = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert len(values) == len(container["env"])
        assert {**TRUST, "HTTPS_PROXY": "http://proxy:3128", "AUTH_URL": "https://auth:1"}.items() <= values.items()
        assert container["envFrom"] == EXTRAS["extraEnvFrom"]
        assert {"tmp", "ca-bundle", "models"} <= {volume["name"] for volume in spec["volumes"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
        # A side container of a Job must not keep it from ending, so it is an init container that restarts.
        assert [(c["name"], c.get("restartPolicy")) for c in spec["initContainers"]] == [
            ("fetch", None), ("proxy", "Always"),
        ]  # fmt: skip
        assert spec["securityContext"]["supplementalGroups"] == [2000]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert spec["priorityClassName"] == "important"
        assert (spec["nodeSelector"], spec["tolerations"]) == (EXTRAS["nodeSelector"], EXTRAS["tolerations"])
        assert pod["metadata"]["labels"]["team"] == "elections"
        assert EXTRAS["podAnnotations"].items() <= pod["metadata"]["annotations"].items()


def test_an_account_of_the_cloud(helm: Helm) -> None:
    """The ServiceAccount bears the annotations of a workload identity."""
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/rag"}
    manifests = helm.manifests("rag-service", *given({"serviceAccount": {"annotations": role}}))
    assert one(manifests, "ServiceAccount")["metadata"]["annotations"] == role


def test_objects_of_the_platform_belong_to_the_release(helm: Helm) -> None:
    """Extra manifests are rendered as they are given."""
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "{{ b }}"}}
    other = {**extra, "metadata": {"name": "y"}}
    manifests = helm.manifests("rag-service", *given({"extraManifests": [extra, other]}))
    assert of_kind(manifests, "ConfigMap") == [extra, other]


@by_name
def test_images_come_from_the_registry_of_the_platform(helm: Helm, service: str) -> None:
    """global.imageRegistry and global.imagePullSecrets reach every container and whoever pulls it."""
    options = given({"global": {"imageRegistry": "mirror.example.org", "imagePullSecrets": ["a", {"name": "b"}]}})
    manifests = helm.manifests(service, *options)
    for kind, pod in pods(manifests):
        assert pod["spec"]["containers"][0]["image"].startswith(f"mirror.example.org/castor/{service}:")
        puller = pod["spec"] if kind in ("Job", "Pod") else one(manifests, "ServiceAccount")
        assert puller["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]


def test_values_for_all_lie_between(helm: Helm) -> None:
    """global.castor wins over the library's defaults, and the values of a service win over it."""
    everywhere = {"castor": {"replicas": 5, "autoscaling": {"enabled": False}, "config": {"LOG_LEVEL": "DEBUG"}}}
    options = given({"global": everywhere})
    workload = one(helm.manifests("rag-service", *options), "Deployment")
    assert workload["spec"]["replicas"] == 5
    assert {"name": "LOG_LEVEL", "value": "DEBUG"} in workload["spec"]["template"]["spec"]["containers"][0]["env"]
    own = helm.manifests("rag-service", *options, "--set", "replicas=7")
    assert one(own, "Deployment")["spec"]["replicas"] == 7


@by_name
def test_another_name_keeps_the_identity(helm: Helm, service: str) -> None:
    """Objects have the name that is given; identity, metrics' label and the way for callers stay the service's."""
    options = ("--set", "fullnameOverride=acme-one,nameOverride=one")
    manifests = helm.manifests(service, *options, values="production")
    assert {m["metadata"]["name"].removesuffix("-alias") for m in manifests} <= {
        "acme-one", "acme-one-migrate", "acme-one-migrate-1", "acme-one-test", "acme-one-token", "acme-one-imports",
    }  # fmt: skip
    assert one(manifests, "Certificate", "acme-one")["spec"]["uris"] == [f"spiffe://castor/{service}"]
    monitor, target = one(manifests, "ServiceMonitor")["spec"], one(manifests, "Service")
    assert target["metadata"]["labels"][monitor["jobLabel"]] == service
    pod = one(manifests, "Rollout")["spec"]["template"]
    assert target["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["labels"]["castor.io/service"] == service
    assert pod["spec"]["serviceAccountName"] == one(manifests, "ServiceAccount")["metadata"]["name"]


@by_name
def test_openshift_chooses_user_and_group(helm: Helm, service: str) -> None:
    """Where the cluster has OpenShift's security constraints, no id is fixed."""
    for _, pod in pods(helm.manifests(service, "--api-versions", "security.openshift.io/v1")):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod["spec"]["securityContext"])
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True


@by_name
def test_settings_stand_in_the_pod(helm: Helm, service: str) -> None:
    """No ConfigMap holds the settings: one of a fixed name would reach stable pods while a canary is judged."""
    manifests = helm.manifests(service, values="production")
    assert of_kind(manifests, "ConfigMap") == []
    container = one(manifests, "Rollout")["spec"]["template"]["spec"]["containers"][0]
    assert "envFrom" not in container
    assert "TLS_CERT_FILE" in {entry["name"] for entry in container["env"]}


@by_name
def test_a_migration_outlives_no_upgrade(helm: Helm, service: str) -> None:
    """Each revision has a Job of its own, which ends before Helm stops waiting for it."""
    for values, limit in (("default", 300), ("production", documented_timeout())):
        for job in of_kind(helm.manifests(service, values=values), "Job"):
            assert job["metadata"]["name"] == f"{service}-migrate-1"  # the revision of `helm template`
            assert job["spec"]["activeDeadlineSeconds"] < limit
            assert job["spec"]["ttlSecondsAfterFinished"] > 0
    template = (CHARTS / "common" / "templates" / "_context.tpl").read_text()
    assert "revision: {{ .Release.Revision }}" in template


def documented_timeout() -> int:
    """Return the shortest --timeout, in seconds, that goes with the production values: workflow, handbook, file."""
    texts = [
        (ROOT / ".github/workflows/deploy.yml").read_text().split("roll-back.sh", 1)[1].split("id: canary")[0],
        (ROOT / "docs/operations.md").read_text().split("## Install on a fresh cluster")[1].split("## Upgrade")[0],
        (CHARTS / "values/production.yaml").read_text(),
    ]
    found = [re.findall(r"--install(?:.|\\\n)*?--timeout (\d+)m", text) for text in texts]
    assert all(found), found
    return min(int(minutes) * 60 for each in found for minutes in each)


@by_name
def test_the_network_opens_what_the_settings_need(helm: Helm, service: str) -> None:
    """Databases outside of the cluster, other ports and OpenShift's DNS are values, for the migration as well."""
    database = {"to": [{"ipBlock": {"cidr": "10.9.0.0/24"}}], "ports": [6432]}
    redis = {"to": [{"ipBlock": {"cidr": "10.9.1.0/24"}}], "ports": [6380]}
    options = given({"networkPolicy.postgresql": database, "networkPolicy.redis": redis})
    manifests = helm.manifests(service, *options)
    rules = egress(manifests, service)
    assert (redis["to"], {6380}) in rules
    assert 6379 not in set().union(*(ports for _, ports in rules))
    if of_kind(manifests, "Job"):
        assert (database["to"], {6432}) in rules
        assert (database["to"], {6432}) in egress(manifests, f"{service}-migrate")
    dns = {json.dumps(target): ports for targets, ports in rules for target in targets}
    openshift = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
    assert dns[json.dumps(openshift)] == {53, 5353}


def test_mails_go_to_the_log_of_a_developers_cluster_only(helm: Helm) -> None:
    """Helm refuses a notifier that writes one-time tokens to the log, unless development is declared."""
    done = helm.run("template", "auth-service", "auth-service", "--set", "config.NOTIFIER=log")
    assert done.code != 0
    assert "config.NOTIFIER=log writes one-time tokens to the log" in done.error
    assert helm.manifests("auth-service", "--set", "config.NOTIFIER=log,config.DEVELOPMENT=true")


def test_mail_and_traces_are_reached(helm: Helm) -> None:
    """With NOTIFIER=smtp the mail server is reached, with an OTLP endpoint the collector; otherwise neither."""
    collector = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tracing"}}}]}
    options = given({"networkPolicy.otlp": {**collector, "ports": [14318]}})
    logged = given({"config": {"NOTIFIER": "log", "DEVELOPMENT": True}})
    silent = egress(helm.manifests("auth-service", *options, *logged), "auth-service")
    assert not {587, 465, 14318} & set().union(*(ports for _, ports in silent))
    loud = given({"config": {"NOTIFIER": "smtp", "MAIL_FROM": "castor@example.org"}})
    loud += given({"extraEnv": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector.tracing:14318"}]})
    rules = egress(helm.manifests("auth-service", *options, *loud), "auth-service")
    assert (collector["to"], {14318}) in rules
    (mail,) = [targets for targets, ports in rules if ports == {465, 587}]
    assert "10.0.0.0/8" in mail[0]["ipBlock"]["except"]


@by_name
def test_a_default_prometheus_finds_metrics_and_rules(helm: Helm, service: str) -> None:
    """The labels are those of the kube-prometheus-stack whose installation the handbook shows."""
    handbook = (ROOT / "docs" / "operations.md").read_text()
    (release,) = re.findall(r"helm upgrade --install (\S+) prometheus-community/kube-prometheus-stack", handbook)
    rule = '[{"name":"x","rules":[{"record":"a","expr":"b"}]}]'
    manifests = helm.manifests(service, "--set-json", f"prometheusRule.groups={rule}", values="production")
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert one(manifests, kind)["metadata"]["labels"]["release"] == release
    done = helm.run("template", "castor-observability", "observability")
    rules = [m for m in yaml.safe_load_all(done.output) if m and m["kind"] == "PrometheusRule"]
    assert rules
    assert {m["metadata"]["labels"].get("release") for m in rules} == {release}


_OWNED = {
    "name": "rag-service",
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "rag-service", "meta.helm.sh/release-namespace": "castor"},
}


@pytest.fixture
def cluster(helm: Helm, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster where rag-service runs with 4 pods."""
    manifests = [m for values in ("default", "production") for m in helm.manifests("rag-service", values=values)]
    running = [
        {"apiVersion": version, "kind": kind, "metadata": _OWNED, "spec": {"replicas": 4}}
        for version, kind in (("apps/v1", "Deployment"), ("argoproj.io/v1alpha1", "Rollout"))
    ]
    with fake_cluster(manifests, running, tmp_path) as kubeconfig:
        yield kubeconfig


@pytest.mark.parametrize(("values", "kind"), [("default", "Deployment"), ("production", "Rollout")])
def test_turning_the_autoscaler_on_keeps_the_pods(helm: Helm, cluster: Path, values: str, kind: str) -> None:
    """An upgrade that begins to scale keeps the 4 pods that run: a manifest without a number would mean 1."""
    options = ("--dry-run=server", "--disable-openapi-validation", "--kubeconfig", str(cluster))
    done = helm.template("rag-service", *options, values=values)
    assert done.code == 0, done.error
    manifests = [m for m in yaml.safe_load_all(done.output) if m]
    assert of_kind(manifests, "HorizontalPodAutoscaler")
    assert one(manifests, kind)["spec"]["replicas"] == 4
    assert "replicas" not in one(helm.manifests("rag-service", values=values), kind)["spec"]


def test_the_bundle_is_trusted(tmp_path: Path) -> None:
    """Python's TLS clients and the driver of PostgreSQL trust an authority that only the chart's variables name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "corporate")])
    begin = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(begin).not_valid_after(begin + timedelta(days=1))
    authority = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    bundle = tmp_path / "ca.crt"
    bundle.write_bytes(authority.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    script = """
import ssl
from asyncpg.connect_utils import _parse_connect_arguments
import inspect
_, parameters, *_ = [*_parse_connect_arguments(
    dsn="postgresql://u:p@db/x?sslmode=verify-full", **{
        name: None for name, each in inspect.signature(_parse_connect_arguments).parameters.items()
        if name not in ("dsn", "statement_cache_size", "max_cached_statement_lifetime", "max_cacheable_statement_size")
    }, statement_cache_size=1, max_cached_statement_lifetime=1, max_cacheable_statement_size=1)]
for context in (ssl.create_default_context(), parameters.ssl):
    assert 7 in {int(each["serialNumber"], 16) for each in context.get_ca_certs()}
"""
    environment = {**os.environ, **dict.fromkeys(TRUST, str(bundle))}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""The values and manifests that docs/operations.md installs a fresh cluster with are complete and valid."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from chart_tools import CHARTS, RELEASES, ROOT, Helm, Manifest, of_kind, one, values_of
from fake_cluster import fake_cluster
from test_manifests import NEWEST, OLDEST, check

from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.services import SERVICES

EXAMPLES = CHARTS / "examples"
DATABASES = {service.capability for service in SERVICES if service.database}
TRIAL = ("template", "trial", "trial", "--namespace", "castor")


def cluster(castor: Helm, name: str, *options: str) -> list[Manifest]:
    """Render the umbrella with an example."""
    return castor.parsed("template", "castor", "castor", "-n", "castor", "-f", f"examples/{name}.yaml", *options)


@pytest.mark.parametrize("name", ["managed-cloud", "k3s"])
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_an_example_is_a_whole_cluster(castor: Helm, name: str, version: str) -> None:
    """All releases are in it, at one host and issuer, every object is valid, and nothing is left of a placeholder."""
    manifests = cluster(castor, name, "--kube-version", f"{version}.0")
    for manifest in manifests:
        check(manifest, version)
    workloads = of_kind(manifests, "Deployment") + of_kind(manifests, "Rollout")
    assert {m["metadata"]["name"] for m in workloads} == set(RELEASES)
    for workload in workloads:
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        plain = {entry["name"]: entry.get("value") for entry in container["env"]}
        if workload["metadata"]["name"] != "console":
            assert plain["AUTH_ISSUER"] == "https://castor.example.org"
    hosts = [h for m in of_kind(manifests, "HTTPRoute") for h in m["spec"]["hostnames"]]
    hosts += [rule["host"] for m in of_kind(manifests, "Ingress") for rule in m["spec"]["rules"]]
    assert set(hosts) == {"castor.example.org"}
    issuers = {m["spec"]["issuerRef"]["name"] for m in of_kind(manifests, "Certificate")}
    assert issuers == {"castor-ca"}


def test_the_managed_cloud_reaches_what_it_names(castor: Helm) -> None:
    """Databases outside of the cluster are open to pods and migrations, verified by the provider's authority."""
    manifests = cluster(castor, "managed-cloud")
    for name in ("rag-service", "rag-service-migrate"):
        targets = [rule["to"] for rule in one(manifests, "NetworkPolicy", name)["spec"]["egress"]]
        assert [{"ipBlock": {"cidr": "10.20.0.0/24"}}] in targets
    assert {m["spec"]["gatewayClassName"] for m in of_kind(manifests, "Gateway")} == {"eg"}
    for job in of_kind(manifests, "Job"):
        env = {entry["name"] for entry in job["spec"]["template"]["spec"]["containers"][0]["env"]}
        assert "PGSSLROOTCERT" in env


def test_manifests_for_controllers_are_valid() -> None:
    """The issuer's certificate is a CA in cert-manager's namespace; k3s's Traefik serves the class of the example."""
    issuer = [*yaml.safe_load_all((EXAMPLES / "issuer.yaml").read_text())]
    for manifest in issuer:
        check(manifest, NEWEST)
    authority = one(issuer, "Certificate")
    assert (authority["spec"]["isCA"], authority["metadata"]["namespace"]) == (True, "cert-manager")
    signer = one(issuer, "ClusterIssuer", "castor-ca")
    assert signer["spec"]["ca"]["secretName"] == authority["spec"]["secretName"]
    cluster = yaml.safe_load((EXAMPLES / "managed-cloud.yaml").read_text())["gateway"]
    envoy_class, proxy = yaml.safe_load_all((EXAMPLES / "envoy-gateway.yaml").read_text())
    assert envoy_class["metadata"]["name"] == cluster["className"]
    assert proxy["metadata"] == {"name": cluster["infrastructure"]["parametersRef"]["name"], "namespace": "castor"}
    shown = yaml.safe_load((CHARTS / "gateway" / "values.yaml").read_text())["clientCertificate"]["secretName"]
    assert proxy["spec"]["backendTLS"]["clientCertificateRef"]["name"] == shown
    config, ingress_class = yaml.safe_load_all((EXAMPLES / "k3s-traefik.yaml").read_text())
    check(ingress_class, NEWEST)
    provider = yaml.safe_load(config["spec"]["valuesContent"])["providers"]["kubernetesIngressNginx"]
    values = yaml.safe_load((EXAMPLES / "k3s.yaml").read_text())["global"]["castor"]["ingress"]
    assert provider["ingressClass"] == ingress_class["metadata"]["name"] == values["className"]
    assert provider["controllerClass"] == ingress_class["spec"]["controller"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_trial_has_what_the_services_need(helm: Helm, version: str) -> None:
    """A database, role and Secret for each service, with each required secret and addresses that lead to objects."""
    manifests = helm.parsed(*TRIAL, "--kube-version", f"{version}.0")
    for manifest in manifests:
        check(manifest, version)
    roles = {r["name"]: r["passwordSecret"]["name"] for r in one(manifests, "Cluster")["spec"]["managed"]["roles"]}
    assert set(roles) == DATABASES == {m["spec"]["name"] for m in of_kind(manifests, "Database")}
    secrets = {m["metadata"]["name"]: m["stringData"] for m in of_kind(manifests, "Secret")}
    for service in SERVICES:
        given = secrets[service.name]
        assert set(values_of(service.name)["secrets"]["required"]) <= set(given)
        if service.database:
            url = urlsplit(given["DATABASE_URL"])
            assert (url.hostname, url.username, url.path) == (
                "castor-postgresql-rw", service.capability, f"/{service.capability}",
            )  # fmt: skip
            assert url.password == secrets[roles[service.capability]]["password"]
    # Without it watches that name an address are refused.
    assert len(secrets["trending-service"]["WEBHOOK_KEY"]) >= 32
    assert one(manifests, "Service", "castor-valkey")
    numbers = [urlsplit(secrets[service.name]["REDIS_URL"]).path for service in SERVICES]
    assert len(set(numbers)) == len(SERVICES)
    assert all(m["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for m in of_kind(manifests, "Secret"))
    extensions = {m["spec"]["name"]: m["spec"].get("extensions", []) for m in of_kind(manifests, "Database")}
    assert {name: [e["name"] for e in each] for name, each in extensions.items() if each} == {
        "twitter": ["unaccent"], "rag": ["vector", "unaccent"],
    }  # fmt: skip


def test_an_upgrade_keeps_what_was_generated(helm: Helm, tmp_path: Path) -> None:
    """Passwords and the key that seals stay those of the Secrets that are there; a missing one is made."""
    first = helm.parsed(*TRIAL)
    owner = {
        "annotations": {f"meta.helm.sh/release-{k}": v for k, v in {"name": "trial", "namespace": "castor"}.items()}
    }
    there = [
        {
            **m,
            "metadata": m["metadata"] | owner,
            "data": {k: b64encode(v.encode()).decode() for k, v in m["stringData"].items()},
        }
        for m in of_kind(first, "Secret")
        if m["metadata"]["name"] != "castor-postgresql-rag"
    ]
    with fake_cluster(first, there, tmp_path) as kubeconfig:
        options = ("--dry-run=server", "--disable-openapi-validation", "--kubeconfig", str(kubeconfig))
        again = {m["metadata"]["name"]: m["stringData"] for m in of_kind(helm.parsed(*TRIAL, *options), "Secret")}
    for secret in there:
        if secret["metadata"]["name"] != "rag-service":
            assert again[secret["metadata"]["name"]] == secret["stringData"]
    assert again["castor-postgresql-rag"]["password"] in again["rag-service"]["DATABASE_URL"]


def test_the_k3s_example_reaches_the_trial(castor: Helm) -> None:
    """Services may reach the trial's pods by the labels that those have, and watches the addresses that they name."""
    trial = castor.parsed(*TRIAL)
    pod = one(trial, "Deployment")["spec"]["template"]
    assert pod["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    selectors = [
        target["podSelector"]["matchLabels"]
        for rule in one(cluster(castor, "k3s"), "NetworkPolicy", "rag-service")["spec"]["egress"]
        for target in rule["to"]
        if "podSelector" in target
    ]
    assert {"cnpg.io/cluster": one(trial, "Cluster")["metadata"]["name"]} in selectors
    assert any(selector.items() <= pod["metadata"]["labels"].items() for selector in selectors)
    egress = one(cluster(castor, "k3s"), "NetworkPolicy", "trending-service")["spec"]["egress"]
    assert [443] in [[port["port"] for port in rule.get("ports", ())] for rule in egress]


def test_the_sql_makes_the_databases(postgres_server: EmbeddedPostgres) -> None:
    """In a real PostgreSQL each role owns its database alone, is no superuser, and finds its extensions."""
    script = (EXAMPLES / "databases.sql").read_text()
    names = sorted(DATABASES)
    given = "".join(f"\\set {name} secret{name}\n" for name in names)
    listed = ", ".join(f"'{name}'" for name in names)
    try:
        postgres_server.run_sql(given + script)
        owners = postgres_server.run_sql(
            f"SELECT datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba "
            f"WHERE datname = rolname AND NOT rolsuper AND datname IN ({listed}) ORDER BY 1"
        )
        assert owners.split() == names
        reached = f"datname IN ({listed}) AND has_database_privilege('rag', oid, 'CONNECT')"
        assert postgres_server.run_sql(f"SELECT datname FROM pg_database WHERE {reached}").split() == ["rag"]
        extensions = "SELECT extname FROM pg_extension WHERE extname IN ('vector', 'unaccent') ORDER BY 1"
        assert postgres_server.run_sql(extensions, "rag").split() == ["unaccent", "vector"]
        assert "unaccent" in postgres_server.run_sql(extensions, "twitter").split()
    finally:
        postgres_server.run_sql("".join(f"DROP DATABASE IF EXISTS {n}; DROP ROLE IF EXISTS {n};\n" for n in names))


def test_the_handbook_names_the_examples() -> None:
    """Each example is applied by a command of the handbook, which names no file that does not exist."""
    handbook = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"charts/examples/[\w.-]+", handbook))
    assert named == {str(file.relative_to(ROOT)) for file in EXAMPLES.iterdir()}
    assert all(Path(ROOT / name).exists() for name in named)

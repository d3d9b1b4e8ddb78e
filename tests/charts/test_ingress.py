"""Both ways of a public request to a service: the Gateway API, and Ingress objects with ingress-nginx's annotations."""

from __future__ import annotations

import re
from typing import Any

import pytest
from chart_tools import NAMES, RELEASES, ROOT, Helm, Manifest, of_kind, one
from test_manifests import NEWEST, OLDEST, check

from castor_chassis import ServiceSettings
from castor_devstack.stack.services import SERVICES, Service
from rag_service.files.model import MOST_BYTES
from twitter_service.settings import TwitterSettings

by_name = pytest.mark.parametrize("service", SERVICES, ids=NAMES)
HOST = ("--set", "ingress.enabled=true,ingress.host=castor.example.org")
NGINX = (*HOST, "--set", "ingress.kind=nginx")
MARK = "castor_max_body_bytes"
"""What a route sets that reads more than `MAX_BODY_BYTES`."""
ORIGINS = ("--set", "ingress.corsOrigins={https://a.example,https://b.example}")


def rules(manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Return the rules of the release's only route."""
    route = one(manifests, "HTTPRoute")["spec"]
    assert route["hostnames"] == ["castor.example.org"]
    found: list[dict[str, Any]] = route["rules"]
    return found


def paths(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the types and values of the paths that a rule matches."""
    return [(match["path"]["type"], match["path"]["value"]) for match in rule["matches"]]


def taken(found: list[dict[str, Any]], path: str) -> dict[str, Any] | None:
    """Return the rule that a Gateway applies to a path: an exact match, or the longest prefix of whole segments."""
    best: tuple[int, dict[str, Any]] | None = None
    for rule in found:
        for kind, value in paths(rule):
            fits = path == value if kind == "Exact" else f"{path}/".startswith(f"{value.rstrip('/')}/")
            if fits and (best is None or len(value) > best[0]):
                best = len(value), rule
    return best[1] if best else None


@by_name
def test_a_route_leads_to_public_paths_only(helm: Helm, service: Service) -> None:
    """The capability and what is well known as they are, the alias rewritten; no internal path, no other service."""
    found = rules(helm.manifests(service.name, *HOST))
    public, alias, *closed = found
    well_known = [("Exact", f"/.well-known/{name}") for name in service.well_known]
    assert paths(public) == [("PathPrefix", f"/v1/{service.capability}"), *well_known]
    assert "filters" not in public
    assert paths(alias) == [("PathPrefix", f"/api/v1/{service.capability}")]
    (rewrite,) = alias["filters"]
    assert rewrite["urlRewrite"]["path"]["replacePrefixMatch"] == f"/v1/{service.capability}"
    for path in ("/internal/validate-token", "/api/internal/x", f"/v1/{service.capability}x", "/metrics", "/", "/v1"):
        assert taken(found, path) is None, path
    assert len(closed) == (service.name == "auth-service")
    for rule in found:
        assert rule["backendRefs"] == [{"name": service.name, "port": 8443}]
        # A Gateway's own limit would cut streams and uploads; services have theirs.
        assert rule["timeouts"] == {"request": "0s"}


def test_service_tokens_are_not_at_the_gateway(helm: Helm) -> None:
    """Both spellings of the token endpoint, and what is under them, become a path that the service does not have."""
    found = rules(helm.manifests("auth-service", *HOST))
    for asked in ("/v1/auth/token", "/v1/auth/token/", "/api/v1/auth/token", "/api/v1/auth/token/x"):
        rule = taken(found, asked)
        assert rule is not None
        assert rule["filters"][0]["urlRewrite"]["path"] == {"type": "ReplaceFullPath", "replaceFullPath": "/closed"}
    for open_path in ("/v1/auth/tokens", "/v1/auth/login", "/api/v1/auth/login"):
        rule = taken(found, open_path)
        assert rule is not None
        assert "replaceFullPath" not in str(rule)


@pytest.mark.parametrize("name", RELEASES)
def test_the_gateway_verifies_the_service(helm: Helm, name: str) -> None:
    """The policy asks for the service's SPIFFE identity at its own Service, whatever the objects are called."""
    for options, objects in ((HOST, name), ((*HOST, "--set", "fullnameOverride=acme"), "acme")):
        manifests = helm.manifests(name, *options)
        policy = one(manifests, "BackendTLSPolicy")["spec"]
        assert policy["targetRefs"] == [{"group": "", "kind": "Service", "name": objects, "sectionName": "api"}]
        assert policy["validation"]["subjectAltNames"] == [{"type": "URI", "uri": f"spiffe://castor/{name}"}]
        assert policy["validation"]["hostname"] in one(manifests, "Certificate")["spec"]["dnsNames"]
        assert policy["validation"]["caCertificateRefs"] == [{"group": "", "kind": "ConfigMap", "name": "castor-ca"}]
        assert "api" in [port["name"] for port in one(manifests, "Service")["spec"]["ports"]]
        assert {ref["name"] for rule in rules(manifests) for ref in rule["backendRefs"]} == {objects}
        assert not of_kind(manifests, "Ingress")
        # The client certificate is the Gateway's; a release holds none.
        assert one(manifests, "Certificate")["spec"]["uris"] == [f"spiffe://castor/{name}"]


def test_authorities_can_be_those_of_the_certificate(helm: Helm) -> None:
    """With kind Secret and no name it is the Secret that cert-manager fills."""
    options = (*HOST, "--set", "ingress.gateway.authorities.kind=Secret,ingress.gateway.authorities.name=")
    policy = one(helm.manifests("rag-service", *options), "BackendTLSPolicy")["spec"]
    assert policy["validation"]["caCertificateRefs"] == [{"group": "", "kind": "Secret", "name": "rag-service-tls"}]


@pytest.mark.parametrize(
    ("options", "namespace"),
    [
        (HOST, "castor"),
        ((*HOST, "--set", "ingress.gateway.namespace=edge"), "edge"),
        ((*HOST, "--set", "ingress.gateway.namespace=edge,networkPolicy.ingressNamespace=proxies"), "proxies"),
        (NGINX, "ingress-nginx"),
    ],
)
def test_the_network_admits_who_passes_requests_on(helm: Helm, options: tuple[str, ...], namespace: str) -> None:
    """The pods of the Gateway's namespace, of ingress-nginx's, or of the one that is given."""
    policy = one(helm.manifests("rag-service", *options), "NetworkPolicy", "rag-service")["spec"]
    (admitted,) = [each["namespaceSelector"] for each in policy["ingress"][0]["from"] if "namespaceSelector" in each]
    assert admitted == {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def test_pages_of_other_origins_are_named_to_the_gateway(helm: Helm) -> None:
    """Origins given in the values may call the API with a token, never with a cookie; by default there are none."""
    filters = [rule["filters"][-1] for rule in rules(helm.manifests("rag-service", *HOST, *ORIGINS))]
    assert {each["type"] for each in filters} == {"CORS"}
    assert {tuple(each["cors"]["allowOrigins"]) for each in filters} == {("https://a.example", "https://b.example")}
    assert not any("allowCredentials" in each["cors"] for each in filters)
    assert "CORS" not in str(rules(helm.manifests("rag-service", *HOST)))


GATEWAY = ("template", "gateway", "gateway", "--namespace", "castor")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_gateway_shows_its_identity(helm: Helm, version: str) -> None:
    """It has the host's listener, takes routes of its namespace, and a client certificate of spiffe://castor/ingress."""
    manifests = helm.parsed(*GATEWAY, "--set", "host=castor.example.org", "--kube-version", f"{version}.0")
    for manifest in manifests:
        check(manifest, version)
    gateway, certificate = one(manifests, "Gateway"), one(manifests, "Certificate")["spec"]
    assert gateway["spec"]["tls"]["backend"]["clientCertificateRef"]["name"] == certificate["secretName"]
    assert certificate["uris"] == ["spiffe://castor/ingress"]
    assert "client auth" in certificate["usages"]
    assert certificate["issuerRef"]["name"] == "castor-ca"
    (https, http) = gateway["spec"]["listeners"]
    assert (https["hostname"], https["protocol"], https["tls"]["mode"]) == ("castor.example.org", "HTTPS", "Terminate")
    (admitted,) = https["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert admitted["values"] == ["castor"]
    # Nothing but the redirection is served in clear.
    redirect = one(manifests, "HTTPRoute")["spec"]
    assert redirect["parentRefs"] == [{"name": "castor", "sectionName": http["name"]}]
    assert http["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert redirect["rules"][0]["filters"][0]["requestRedirect"]["scheme"] == "https"


def test_a_gateway_needs_a_host(helm: Helm) -> None:
    """Without a host it is refused with the value's name; one for all services is taken, and their issuer with it."""
    refused = helm.run(*GATEWAY)
    assert refused.code != 0
    assert "gateway: host is missing" in refused.error
    shared = "global.castor.ingress.host=a.example,global.castor.certificate.issuer.name=corporate"
    manifests = helm.parsed(*GATEWAY, "--set", shared, "--set", "global.castor.certificate.issuer.kind=Issuer")
    assert one(manifests, "Gateway")["spec"]["listeners"][0]["hostname"] == "a.example"
    issuer = one(manifests, "Certificate")["spec"]["issuerRef"]
    assert (issuer["kind"], issuer["name"]) == ("Issuer", "corporate")


def test_routes_and_gateway_find_each_other(helm: Helm) -> None:
    """The names that both charts have by default are the same."""
    gateway = one(helm.parsed(*GATEWAY, "--set", "host=castor.example.org"), "Gateway")["metadata"]
    (parent,) = one(helm.manifests("rag-service", *HOST), "HTTPRoute")["spec"]["parentRefs"]
    assert parent == {"name": gateway["name"], "namespace": gateway["namespace"]}


def test_the_console_is_the_front_door(helm: Helm) -> None:
    """It takes every path that no service has, has no alias, and reaches nothing but DNS."""
    manifests = helm.manifests("console", *NGINX)
    (door,) = of_kind(manifests, "Ingress")
    (path,) = [path for rule in door["spec"]["rules"] for path in rule["http"]["paths"]]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    variables = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert not any("DATABASE" in entry["name"] or "REDIS" in entry["name"] for entry in variables)


def test_pages_of_other_origins_are_named(helm: Helm) -> None:
    """Origins given in the values may call the API with a token, never with a cookie; by default there are none."""
    given = [*NGINX, "--set", "ingress.corsOrigins={https://a.example,https://b.example}"]
    annotations = of_kind(helm.manifests("rag-service", *given), "Ingress")[0]["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io/"
    assert annotations[f"{prefix}cors-allow-origin"] == "https://a.example,https://b.example"
    assert annotations[f"{prefix}cors-allow-credentials"] == "false"
    plain = of_kind(helm.manifests("rag-service", *NGINX), "Ingress")[0]["metadata"]["annotations"]
    assert not any("cors" in name for name in plain)


@by_name
def test_the_ingress_routes_public_paths_only(helm: Helm, service: Service) -> None:
    """/v1/<capability>, its alias, and what is well known; none reaches /internal or another service."""
    names = service.name, f"{service.name}-alias"
    ingresses = [each for each in _ingresses(helm, service) if each["metadata"]["name"] in names]
    paths = [path for ingress in ingresses for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    plain, *well_known, alias = paths
    assert [path["path"] for path in well_known] == [f"/.well-known/{name}" for name in service.well_known]
    assert {path["pathType"] for path in well_known} <= {"Exact"}
    assert (plain["path"], plain["pathType"]) == (f"/v1/{service.capability}", "Prefix")
    pattern = re.compile(alias["path"])
    rewrite = ingresses[1]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"]
    public = f"/api/v1/{service.capability}/a/b"
    assert pattern.match(public)
    assert pattern.sub(rewrite.replace("$1", r"\1"), public) == f"/v1/{service.capability}/a/b"
    for closed in ("/internal/validate-token", "/api/internal/x", f"/api/v1/{service.capability}x", "/metrics", "/"):
        assert not pattern.match(closed)
        assert not closed.startswith(plain["path"])


def _ingresses(helm: Helm, service: Service) -> list[dict[str, Any]]:
    return of_kind(helm.manifests(service.name, *NGINX, values="production"), "Ingress")


def _notes(ingress: dict[str, Any]) -> dict[str, str]:
    """Return the annotations for ingress-nginx, without its prefix."""
    prefix = "nginx.ingress.kubernetes.io/"
    return {name.removeprefix(prefix): value for name, value in ingress["metadata"]["annotations"].items()}


def _path_of(ingress: dict[str, Any]) -> str:
    return str(ingress["spec"]["rules"][0]["http"]["paths"][0]["path"])


@by_name
def test_only_uploads_pass_the_ingress_before_they_are_complete(helm: Helm, service: Service) -> None:
    """Every body but a file to import is buffered, and clients are limited by address on every path."""
    streamed = set()
    for ingress in _ingresses(helm, service):
        notes = _notes(ingress)
        assert int(notes["limit-rps"]) > 0
        assert int(notes["limit-connections"]) > 0
        if notes["proxy-request-buffering"] != "on":
            streamed.add(ingress["metadata"]["name"])
        assert (notes["proxy-body-size"] == "512m") == (notes["proxy-request-buffering"] == "off")
    expected = {"twitter-service-imports", "twitter-service-imports-alias"}
    assert streamed == (expected if service.name == "twitter-service" else set())


def test_the_ingress_takes_what_the_service_takes(helm: Helm) -> None:
    """No body that a service reads is refused by the ingress before: of any route, a file for rag, a file to import."""
    usual = ServiceSettings.model_fields["max_body_bytes"].default
    largest = {"rag-service": MOST_BYTES, "twitter-service": TwitterSettings.model_fields["import_max_bytes"].default}
    for service in SERVICES:
        sizes = [_bytes(_notes(each)["proxy-body-size"]) for each in _ingresses(helm, service)]
        assert min(sizes) >= usual
        assert max(sizes) >= largest.get(service.name, usual), service.name
    sources = ROOT.glob("*-service/*_service/**/*.py")
    assert {file.relative_to(ROOT).parts[0] for file in sources if MARK in file.read_text()} == largest.keys()


def _bytes(size: str) -> int:
    """Return a size as nginx writes it: 5m."""
    units = {"k": 2**10, "m": 2**20, "g": 2**30}
    return int(size[:-1]) * units[size[-1]]


def test_service_tokens_are_not_at_the_ingress(helm: Helm) -> None:
    """Both spellings of the token endpoint admit nobody, and win over the paths that they lie under."""
    auth = next(each for each in SERVICES if each.name == "auth-service")
    closed = [each for each in _ingresses(helm, auth) if "whitelist-source-range" in _notes(each)]
    assert {_notes(each)["whitelist-source-range"] for each in closed} == {"127.0.0.1/32"}
    for asked in ("/v1/auth/token", "/v1/auth/token/", "/api/v1/auth/token", "/api/v1/auth/token/x"):
        matching = [each for each in _ingresses(helm, auth) if re.match(_path_of(each), asked)]
        assert max(matching, key=lambda each: len(_path_of(each))) in closed


@by_name
def test_the_ingress_authenticates_itself(helm: Helm, service: Service) -> None:
    """The ingress presents spiffe://castor/ingress to the service, and checks the service's name."""
    manifests = helm.manifests(service.name, *NGINX, values="production")
    certificates = {c["spec"]["secretName"]: c["spec"] for c in of_kind(manifests, "Certificate")}
    for ingress in of_kind(manifests, "Ingress"):
        notes = _notes(ingress)
        assert (notes["backend-protocol"], notes["proxy-ssl-verify"]) == ("HTTPS", "on")
        assert notes["proxy-ssl-name"] in certificates[f"{service.name}-tls"]["dnsNames"]
        namespace, secret = notes["proxy-ssl-secret"].split("/")
        assert namespace == "castor"
        assert certificates[secret]["uris"] == ["spiffe://castor/ingress"]

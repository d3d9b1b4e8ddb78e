"""docker-compose.yml: valid, small, and the same system as the charts'."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from agreement import compose
from chart_tools import CHARTS, NAMES, ROOT, WANTED, settings_of
from cryptography import x509

from castor_chassis import reveal
from castor_devstack.stack.binaries import caddy, postgres_folder
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.services import SERVICES, Service
from castor_devstack.supervision.os_user import Account
from castor_devstack.testing import scratch_folder
from console_service import CADDY_ROUTES

FILE = ROOT / "docker-compose.yml"
DEVELOPMENT = CHARTS / "development"
HEAD = "9f1c27e0b64d83a572e9d05ac8143fb61b7f60d2e95a4c"
# A secret per purpose, each recognised in what it reaches.
DATABASES = {f"{service.capability.upper()}_DATABASE_PASSWORD" for service in SERVICES if service.database}
PURPOSES = sorted(
    {
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "LIMITS_REDIS_PASSWORD",
        "KEY_ENCRYPTION_SECRET",
        "WEBHOOK_KEY",
        "BOOTSTRAP_ADMIN_PASSWORD",
    }
    | DATABASES
)
SECRETS = {name: f"{HEAD}{number:02x}" for number, name in enumerate(PURPOSES)}
by_name = pytest.mark.parametrize("service", SERVICES, ids=NAMES)


def interpolated(text: str, given: dict[str, str]) -> str:
    """Replace ${NAME}, ${NAME:-default} and ${NAME:?message} as compose does."""

    def value(found: re.Match[str]) -> str:
        name, mark, rest = found[1], found[2], found[3]
        if given.get(name):
            return given[name]
        assert mark != ":?", rest
        return rest or ""

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def environment(name: str) -> dict[str, str]:
    """Return the variables of a service as a container gets them."""
    return {key: interpolated(value, SECRETS) for key, value in compose()["services"][name]["environment"].items()}


def test_the_file_follows_the_specification() -> None:
    """A strict parser of the Compose Specification takes the file and its references, and it stays short."""
    parser = pytest.importorskip("compose_spec", reason=WANTED)
    assert len(FILE.read_text().splitlines()) < 250
    # Its own merging of YAML's << fails on the file's anchors; anchors are YAML's matter, and PyYAML merges them.
    text = interpolated(yaml.safe_dump(compose(), sort_keys=False), SECRETS)
    parsed = parser.PyCompose.from_yaml(text)
    parsed.validate()
    assert set(NAMES) < set(parsed.service_names())
    with pytest.raises(ValueError, match="service_fit"):
        parser.PyCompose.from_yaml(text.replace("condition: service_healthy", "condition: service_fit"))


def test_references_lead_somewhere() -> None:
    """Whatever a service waits for is a service, and every file and folder that is mounted is in the checkout."""
    services = compose()["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        mounted = [v.split(":")[0] for v in service.get("volumes", []) if isinstance(v, str) and v.startswith("./")]
        assert all((ROOT / path).exists() for path in mounted), mounted


@pytest.mark.parametrize("name", PURPOSES)
def test_without_a_secret_nothing_starts(name: str) -> None:
    """No secret has a default: a forgotten .env is an error with a sentence."""
    others = {other: value for other, value in SECRETS.items() if other != name}
    with pytest.raises(AssertionError, match=r"run sh charts/development/secrets\.sh, which writes \.env"):
        interpolated(FILE.read_text(), others)


def test_each_purpose_has_a_secret_of_its_own() -> None:
    """No secret is known to two purposes: a database's to its service, the sealing of keys to auth-service alone."""
    holders: dict[str, set[tuple[str, str]]] = {}
    for name, service in compose()["services"].items():
        text = {**service.get("environment", {}), "command": json.dumps(service.get("command", ""))}
        for key, value in text.items():
            for secret in re.findall(rf"{HEAD}..", interpolated(str(value), SECRETS)):
                holders.setdefault(secret, set()).add((name.removesuffix("-migrate").removesuffix("-service"), key))
    purposes = {name: holders[secret] for name, secret in SECRETS.items()}
    for name in DATABASES:
        service = name.removesuffix("_DATABASE_PASSWORD").lower()
        assert purposes[name] == {(service, "DATABASE_URL"), ("postgres", name)}
    assert purposes["KEY_ENCRYPTION_SECRET"] == {("auth", "KEY_ENCRYPTION_SECRET")}
    assert purposes["WEBHOOK_KEY"] == {("trending", "WEBHOOK_KEY")}
    assert purposes["BOOTSTRAP_ADMIN_PASSWORD"] == {("auth", "BOOTSTRAP_ADMIN_PASSWORD")}
    assert purposes["POSTGRES_PASSWORD"] == {("postgres", "POSTGRES_PASSWORD")}
    assert {key for _, key in purposes["REDIS_PASSWORD"]} == {"REDIS_URL", "command"}
    assert {key for _, key in purposes["LIMITS_REDIS_PASSWORD"]} == {"LIMITS_REDIS_URL", "command"}


@by_name
def test_what_counts_for_limits_evicts_nothing(service: Service) -> None:
    """Every service counts in a Redis of its own that refuses writes when it is full, instead of forgetting."""
    services = compose()["services"]
    counts = urlsplit(
        services[service.name]["environment"]["LIMITS_REDIS_URL"].replace("${LIMITS_REDIS_PASSWORD}", "x")
    )
    command = services[counts.hostname or ""]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_one_command_makes_the_secrets(tmp_path: Path) -> None:
    """secrets.sh writes every secret once, each different, readable by the owner only, and keeps what is there."""
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=DEBUG\nREDIS_PASSWORD=kept")
    command = ["sh", str(DEVELOPMENT / "secrets.sh"), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    made = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert set(made) == {*SECRETS, "LOG_LEVEL"}
    assert (made["LOG_LEVEL"], made["REDIS_PASSWORD"]) == ("DEBUG", "kept")
    assert len(set(made.values())) == len(made)
    assert all(len(made[name]) == 64 for name in SECRETS if name != "REDIS_PASSWORD")
    assert file.stat().st_mode & 0o077 == 0
    subprocess.run(command, check=True, capture_output=True)
    assert dict(line.split("=", 1) for line in file.read_text().splitlines()) == made
    ignored = ["git", "check-ignore", "--quiet", ".env"]
    assert subprocess.run(ignored, cwd=ROOT, check=False).returncode == 0


@by_name
def test_the_service_accepts_its_environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable is a setting of the service, which takes it; it has a database where the devstack says."""
    fields = {name.upper() for name in settings_of(service).model_fields}
    for name in fields & set(os.environ):
        monkeypatch.delenv(name)
    given = environment(service.name)
    assert set(given) <= fields
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read = settings_of(service)()
    assert (read.database_url is not None) == service.database
    assert read.redis_url is not None
    assert urlsplit(str(reveal(read.redis_url))).path == f"/{service.redis_number}"
    assert read.limits_redis_url is not None


@by_name
def test_a_container_is_confined(service: Service) -> None:
    """Read-only, without capabilities, with its own certificate only, and with time to end."""
    container = compose()["services"][service.name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["build"]["args"] == {"SERVICE": service.name}
    assert [volume["volume"]["subpath"] for volume in container["volumes"]] == [service.name]
    assert "ports" not in container
    assert int(container["stop_grace_period"].removesuffix("s")) > 35


@by_name
def test_a_database_is_migrated_first(service: Service) -> None:
    """A service with a database waits for a container of its own image that migrates, once."""
    services = compose()["services"]
    waits = services[service.name]["depends_on"]
    job = f"{service.capability}-migrate"
    assert (job in waits) == (job in services) == service.database
    if service.database:
        assert waits[job] == {"condition": "service_completed_successfully"}
        assert services[job]["command"] == ["migrate"]
        assert services[job]["restart"] == "no"
        assert services[job]["image"] == services[service.name]["image"]
        assert services[job]["environment"] == services[service.name]["environment"]


def test_only_the_machine_itself_is_served() -> None:
    """Ports are published on the loopback address alone."""
    published = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_observability_is_optional() -> None:
    """Prometheus, Grafana and the collector start with their profile only."""
    services = compose()["services"]
    optional = {name for name, service in services.items() if service.get("profiles") == ["observability"]}
    assert optional == {"prometheus", "grafana", "otel-collector"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that compose's certificates job fills."""
    folder = tmp_path_factory.mktemp("certificates")
    assert issue(folder).startswith("issued: auth-service")
    return folder


def issue(folder: Path) -> str:
    """Run the job's command as compose does."""
    job = compose()["services"]["certificates"]
    python, script, target = job["entrypoint"]
    assert (python, script, target) == ("python", "/castor/certificates.py", "/certs")
    command = [sys.executable, str(DEVELOPMENT / "certificates.py"), str(folder), *job["command"]]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "devstack")}
    return subprocess.run(command, env=path, capture_output=True, text=True, check=True).stdout


def test_the_job_gives_everybody_an_identity(certificates: Path) -> None:
    """Each service finds certificate, key and authorities where its settings say, and is who it should be."""
    for name in [*NAMES, "console", "ingress"]:
        folder = certificates / name
        certificate = x509.load_pem_x509_certificate((folder / "current" / "cert.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://castor/{name}"]
        assert name in names.get_values_for_type(x509.DNSName)
        assert (folder / "ca.pem").read_text() == (certificates / "ca.pem").read_text()
        if name in NAMES:
            for variable in ("TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CA_FILE"):
                path = environment(name)[variable].removeprefix("/certs/")
                assert (folder / path).is_file()


def test_the_job_issues_nothing_twice(certificates: Path) -> None:
    """A second start leaves good certificates alone."""
    assert issue(certificates) == "issued: nothing, all are good\n"


def test_the_ingress_serves_public_paths_only(certificates: Path, tmp_path: Path) -> None:
    """Caddy accepts the file with these certificates, and has a route per capability and none to /internal."""
    variables = compose()["services"]["ingress"]["environment"]
    places = {name: path.replace("/certs", str(certificates)) for name, path in variables.items()}
    given = {**os.environ, **places, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    options = ["--adapter", "caddyfile", "--config", str(DEVELOPMENT / "Caddyfile")]
    for command in ("validate", "adapt"):
        done = subprocess.run([str(caddy()), command, *options], env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    adapted = json.loads(done.stdout)
    paths = [path for match in found(adapted, "path") for path in match]
    expected = [f"{prefix}/v1/{s.capability}{rest}" for s in SERVICES for prefix in ("", "/api") for rest in ("", "/*")]
    files = [f"{prefix}/v1/{s.capability}/{path}" for s in SERVICES for prefix in ("", "/api") for path in s.uploads]
    known = [f"/.well-known/{name}" for s in SERVICES for name in s.well_known]
    # The endpoint of services is matched as well, and answered by the ingress itself: it has no upstream below.
    refused = [f"{prefix}/v1/auth/token{rest}" for prefix in ("", "/api") for rest in ("", "/*")]
    uncompressed = ["/v1/auth/*", "/api/v1/auth/*"]
    console = ["/", "/index.html", "/icon.svg", "/build.json", "/assets/*", "/docs", "/docs/*", "/openapi/*"]
    assert sorted(paths) == sorted(expected + files + known + refused + uncompressed + console)
    assert len(list(found(adapted, "request_buffers"))) == len(NAMES)
    dialled = {upstream["dial"] for upstreams in found(adapted, "upstreams") for upstream in upstreams}
    assert dialled == {f"{name}:8443" for name in [*NAMES, "console"]}
    assert len(list(found(adapted, "client_certificate_file"))) == len(NAMES) + 2 + len(files) // 2


def test_pages_of_other_origins_are_answered_as_by_castor_up() -> None:
    """The ingress of compose has the devstack's rules of CORS, line by line."""
    rules = CADDY_ROUTES.read_text().partition("@no_slash")[0].partition("@foreign")[2]
    ours = (DEVELOPMENT / "Caddyfile").read_text()
    assert all(line.strip() in ours for line in rules.splitlines())
    assert compose()["services"]["ingress"]["environment"]["CORS_ORIGINS"] == "${CORS_ORIGINS:-}"


def found(part: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key, however deep."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == key:
                yield value
            else:
                yield from found(value, key)
    elif isinstance(part, list):
        for value in part:
            yield from found(value, key)


def test_the_databases_are_made(test_account: Account | None, test_ports: PortLeases) -> None:
    """In an empty cluster the script makes a database per service that stores, its role's, with extensions."""
    port = test_ports.choose({"postgres": 0})["postgres"]
    with scratch_folder(test_account) as folder:
        server = EmbeddedPostgres(folder / "postgres", port=port, password="secret", account=test_account, fast=True)
        server.start()
        try:
            _run_script(port, test_account)
            for service in SERVICES:
                if service.database:
                    owner = f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{service.capability}'"
                    assert server.run_sql(owner).strip() == service.capability
                    rows = server.run_sql("SELECT extname FROM pg_extension", service.capability).split()
                    assert {"vector", "unaccent", "pg_trgm"} <= set(rows)
                    own = SECRETS[f"{service.capability.upper()}_DATABASE_PASSWORD"]
                    assert _logs_in(port, service.capability, own, test_account)
                    for other in ("secret", *(SECRETS[name] for name in DATABASES if SECRETS[name] != own)):
                        assert not _logs_in(port, service.capability, other, test_account)
        finally:
            server.stop()


def _logs_in(port: int, role: str, password: str, account: Account | None) -> bool:
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": role, "PGDATABASE": role, "PGPASSWORD": password}
    command = [str(postgres_folder(account) / "psql"), "-X", "-q", "-c", "SELECT 1"]
    return subprocess.run(command, env={**os.environ, **address}, capture_output=True, check=False).returncode == 0


def _run_script(port: int, account: Account | None) -> None:
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGPASSWORD": "secret"}
    image = {**SECRETS, "POSTGRES_USER": "castor", "POSTGRES_PASSWORD": "secret"}
    path = f"{postgres_folder(account)}:{os.environ['PATH']}"
    shell = [shutil.which("sh") or "/bin/sh", str(DEVELOPMENT / "databases.sh")]
    subprocess.run(shell, env={**os.environ, **address, **image, "PATH": path}, check=True, capture_output=True)


def test_prometheus_knows_the_services_by_their_names() -> None:
    """The job label is the service's name, as the rules and dashboards expect."""
    config = yaml.safe_load((DEVELOPMENT / "prometheus.yml").read_text())
    (scrape,) = config["scrape_configs"]
    (relabel,) = scrape["relabel_configs"]
    for target in scrape["static_configs"][0]["targets"]:
        match = re.fullmatch(relabel["regex"], target)
        assert match is not None
        assert match[1] in NAMES
        assert target.endswith(":9090")

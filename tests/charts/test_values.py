"""Values and settings say the same; what is wrong is refused with a sentence."""

from __future__ import annotations

import json
import os

import pytest
import yaml
from chart_readmes import charts, readme, rows
from chart_schemas import secret_fields, written
from chart_tools import CHARTS, CONSOLE, NAMES, RELEASES, ROOT, VALUES, Helm, Manifest, one, settings_of, values_of

from castor_chassis import ServiceSettings
from castor_devstack.stack.services import SERVICES, Service, service_named

COMMON = json.loads((CHARTS / "common" / "values.schema.json").read_text())
by_name = pytest.mark.parametrize("service", SERVICES, ids=NAMES)
by_release = pytest.mark.parametrize("service", [*SERVICES, CONSOLE], ids=RELEASES)


def environment(manifests: list[Manifest], kind: str = "Deployment") -> tuple[dict[str, str], dict[str, bool]]:
    """Return a pod's plain settings, and the secret ones with whether a pod starts without them."""
    entries = one(manifests, kind)["spec"]["template"]["spec"]["containers"][0]["env"]
    references = [(entry["name"], entry["valueFrom"]["secretKeyRef"]) for entry in entries if "valueFrom" in entry]
    assert all(name == reference["key"] for name, reference in references)
    assert len({entry["name"] for entry in entries}) == len(entries)
    plain = {entry["name"]: entry["value"] for entry in entries if "value" in entry}
    return plain, {name: ref.get("optional", False) for name, ref in references}


def fields(settings: type[ServiceSettings]) -> set[str]:
    """Return the environment variables that a service reads."""
    return {name.upper() for name in settings.model_fields}


@by_release
def test_a_schema_is_what_the_settings_say(service: Service) -> None:
    """values.schema.json equals what the service's settings give; UPDATE_CHARTS=1 writes it."""
    stored = (CHARTS / service.name / "values.schema.json").read_text()
    assert stored == written(service), "stale: run UPDATE_CHARTS=1 make charts"


@pytest.mark.parametrize("name", charts())
def test_a_readme_is_what_the_values_say(name: str) -> None:
    """README.md of each chart equals what its values give; UPDATE_CHARTS=1 writes it."""
    assert (CHARTS / name / "README.md").read_text() == readme(name), "stale: run UPDATE_CHARTS=1 make charts"


def test_the_readme_of_common_has_every_value() -> None:
    """Each default of the library is in the table, and most say what they are for."""
    text = (CHARTS / "common" / "values.yaml").read_text()
    found = [*rows(text)]
    assert {path.split(".")[0] for path, _, _ in found} == set(yaml.safe_load(text))
    assert ("image.registry", "ghcr.io", "") in found
    assert any(path == "image.tag" and said == "the chart's appVersion" for path, _, said in found)


def test_the_schema_knows_every_value() -> None:
    """Each default of the library has its place in the schema, and the schema promises nothing that has no default."""
    defaults = yaml.safe_load((CHARTS / "common" / "values.yaml").read_text())
    assert set(defaults) == set(COMMON["properties"]) - {"global"}
    for name, value in defaults.items():
        known = COMMON["properties"][name].get("properties")
        if isinstance(value, dict) and known is not None and name != "resources":
            assert set(value) == set(known), name


@by_release
def test_a_chart_holds_only_differences(service: Service) -> None:
    """No value of a chart repeats a default of the library, so a changed default reaches every chart."""
    defaults = yaml.safe_load((CHARTS / "common" / "values.yaml").read_text())
    own = yaml.safe_load((CHARTS / service.name / "values.yaml").read_text())
    repeated = [name for name, value in own.items() if value == defaults[name]]
    repeated += [
        f"{name}.{part}"
        for name, value in own.items()
        if isinstance(value, dict)
        for part, each in value.items()
        if each == defaults[name].get(part)
    ]
    assert repeated == []


@by_name
@pytest.mark.parametrize("values", VALUES)
def test_variables_are_settings_and_settings_are_variables(helm: Helm, service: Service, values: str) -> None:
    """Each variable of a pod is a setting of its service, and each setting without a default is a variable."""
    manifests = helm.manifests(service.name, values=values)
    plain, secret = environment(manifests, "Rollout" if values == "production" else "Deployment")
    settings = settings_of(service)
    assert set(plain) | set(secret) <= fields(settings)
    assert not set(plain) & set(secret)
    required = {name.upper() for name, field in settings.model_fields.items() if field.is_required()}
    without = {name for name, optional in secret.items() if not optional} | set(plain)
    assert required <= without
    assert {name.upper() for name in secret_fields(settings)} - {"DATABASE_URL"} <= set(secret)
    assert ("DATABASE_URL" in without) == service.database


@by_name
@pytest.mark.parametrize("values", VALUES)
def test_the_service_accepts_what_the_chart_gives(
    helm: Helm, service: Service, values: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings class reads the rendered environment without a complaint, and takes it as the values mean it."""
    plain, secret = environment(
        helm.manifests(service.name, values=values), "Rollout" if values == "production" else "Deployment"
    )
    for name in fields(settings_of(service)) & set(os.environ):
        monkeypatch.delenv(name)
    for name, value in {**plain, **{name: _secret(name) for name in secret}}.items():
        monkeypatch.setenv(name, value)
    read = settings_of(service)()
    assert (read.api_host, read.api_port, read.management_port) == ("0.0.0.0", 8443, 9090)
    for peer in ["auth-service", *service.peers]:
        assert getattr(read, f"{peer.removesuffix('-service')}_url") == f"https://{peer}:8443"


def _secret(name: str) -> str:
    known = {
        "DATABASE_URL": "postgresql://u:p@db/x",
        "SMTP_URL": "smtps://mail",
        "REDIS_URL": "redis://r",
        "LIMITS_REDIS_URL": "redis://l",
        "BOOTSTRAP_ADMIN_EMAIL": "a@example.org",
        "PROVIDER_KEYS": '{"azure": "key"}',
        "OPENAI_API_KEY": "sk-0123456789",
        "X_BEARER_TOKEN": "AAAA0123456789",
    }
    return known.get(name, "Correct horse battery staple 1942 and more")


def test_numbers_reach_the_service_as_they_were_written(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large integer, a fraction, a flag and a table survive Helm, which reads every number as a float."""
    twitter = helm.manifests("twitter-service", "--set", "config.IMPORT_MAX_BYTES=536870913")
    assert environment(twitter)[0]["IMPORT_MAX_BYTES"] == "536870913"
    given = ("--set", "config.ALLOW_DEGRADED=false,config.OTEL_TRACES_SAMPLER_ARG=0.05")
    table = ("--set-json", 'config.PRICE_TABLE={"gpt-9":[0.5,1e6]}')
    plain, secret = environment(helm.manifests("openai-service", *given, *table))
    for name, value in {**plain, **{name: _secret(name) for name in secret}}.items():
        monkeypatch.setenv(name, value)
    read = settings_of(service_named("openai-service"))()
    assert read.allow_degraded is False  # type: ignore[attr-defined]
    assert read.otel_traces_sampler_arg == 0.05
    assert read.price_table == {"gpt-9": (0.5, 1_000_000.0)}  # type: ignore[attr-defined]


REFUSED = {
    "an unknown value": (["replica=3"], "additional properties 'replica' not allowed"),
    "a setting that no service has": (
        ["config.FEED_PAGE_SIEZ=10"],
        "additional properties 'FEED_PAGE_SIEZ' not allowed",
    ),
    "a setting out of its range": (["config.FEED_PAGE_SIZE=5000"], "maximum: got 5,000, want 1,000"),
    "a setting of the wrong type": (["config.FEED_PAGE_SIZE=many"], "got string, want integer"),
    "a secret among the settings": (["config.DATABASE_URL=x"], "additional properties 'DATABASE_URL' not allowed"),
    "a peer that is no service": (["peers={mail-service}"], "value must be one of"),
    "itself as a peer": (["peers={trending-service}"], "peers names the service itself"),
    "no pods": (["autoscaling.min=0"], "minimum: got 0, want 1"),
    "more at least than at most": (["autoscaling.min=9"], "autoscaling.min=9 is above autoscaling.max=6"),
    "an ingress for nobody": (["ingress.enabled=true"], "ingress.enabled needs ingress.host"),
    "an ingress that cannot prove itself": (
        ["ingress.enabled=true", "ingress.host=a.b", "certificate.enabled=false", "ingress.kind=nginx"],
        "ingress.kind=nginx needs certificate.enabled",
    ),
    "a certificate for users that nobody shows": (
        ["ingress.enabled=true", "ingress.host=a.b", "ingress.tlsSecretName=x"],
        "ingress.tlsSecretName belongs to Ingress objects",
    ),
    "a Gateway that cannot verify": (
        ["ingress.enabled=true", "ingress.host=a.b", "ingress.gateway.authorities.name="],
        "ingress.gateway.authorities.name is empty",
    ),
    "an unknown way in": (["ingress.kind=traefik"], "value must be one of"),
    "a canary that nobody watches": (["rollout.enabled=true"], "rollout.enabled needs serviceMonitor.enabled"),
    "an end before the drain": (["terminationGracePeriodSeconds=20"], "give at least 50, or none to have it computed"),
    "a drain longer than the end": (
        ["terminationGracePeriodSeconds=60", "config.DRAIN_DELAY_SECONDS=30"],
        "give at least 75",
    ),
    "a migration without a database": (["secrets.required=null"], "migration.enabled needs DATABASE_URL"),
    "a first weight below one pod": (
        ["rollout.enabled=true", "serviceMonitor.enabled=true", "rollout.weights={10,50}"],
        "one of 2 pods is 50 %",
    ),
    "two sources of authorities": (["caBundle.configMap=a", "caBundle.secret=b"], "give one of them"),
    "a variable without a name": (["extraEnv[0].value=x"], "missing property 'name'"),
    "an unknown value for all": (["global.castor.replica=3"], "additional properties 'replica' not allowed"),
    "a setting of one service for all": (
        ["global.castor.config.FEED_PAGE_SIZE=10"],
        "additional properties 'FEED_PAGE_SIZE' not allowed",
    ),
    "a target of no kind": (["networkPolicy.smtp.to[0].host=mail"], "additional properties 'host' not allowed"),
    "no version": (["image.tag=latest"], "'not' failed"),
    "half a digest": (["image.digest=sha256:abc"], "does not match pattern"),
    "a privileged port": (["ports.api=443"], "minimum: got 443, want 1,024"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused(helm: Helm, case: str) -> None:
    """Helm refuses a wrong value and names it, before anything reaches a cluster."""
    values, sentence = REFUSED[case]
    done = helm.template("trending-service", *(part for value in values for part in ("--set", value)))
    assert done.code != 0, done.output[:500]
    assert sentence in done.error, done.error


def test_the_limits_of_a_canary_are_the_objectives() -> None:
    """The values of each chart hold what charts/observability/slo.yaml says a new version must show."""
    table = yaml.safe_load((ROOT / "charts" / "observability" / "slo.yaml").read_text())["services"]
    assert set(table) == set(NAMES)
    for name, objective in table.items():
        analysis, canary = values_of(name)["analysis"], objective["canary"]
        assert analysis["successRate"] == canary["success_rate"], name
        assert analysis["p95Seconds"] == canary["p95_seconds"], name
        assert analysis["untimed"] == objective["untimed"], name

"""The table of the seven services on one machine: names, ports, peers and settings."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from castor_devstack.errors import DevstackError

AUTH = "auth-service"
INGRESS = "ingress"
LOOPBACK = "127.0.0.1"

# The services inherit the user's environment (OPENAI_API_KEY, SENTIMENT_MODEL, X_BEARER_TOKEN, LOG_LEVEL,
# OTEL_EXPORTER_OTLP_ENDPOINT, ...) except these, which this module sets.
_NOT_INHERITED = frozenset(
    {
        "API_HOST", "API_PORT", "MANAGEMENT_HOST", "MANAGEMENT_PORT", "TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CA_FILE",
        "DATABASE_URL", "REDIS_URL", "LIMITS_REDIS_URL", "AUTH_URL", "SENTIMENT_URL", "TWITTER_URL", "OPENAI_URL",
        "AUTH_ISSUER", "BOOTSTRAP_ADMIN_EMAIL", "BOOTSTRAP_ADMIN_PASSWORD", "KEY_ENCRYPTION_SECRET", "WEBHOOK_KEY",
        "CASTOR_HOME",
    }
)  # fmt: skip

_DEVELOPMENT = {
    # Mails go to the log.
    "DEVELOPMENT": "true",
    # There is no load balancer that needs time to take the service out.
    "DRAIN_DELAY_SECONDS": "0",
    # Seven processes share the cores; a thread per core in each would be slower.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The encoder needs as much time a tweet as the scores, which come first.
    "EMBEDDING_YIELD_SECONDS": "120",
    # aiobreaker compares local time with UTC.
    "TZ": "UTC",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True)
class Service:
    """One service: what it is called and what it needs."""

    name: str
    """Identity, log, and key of ``castor status``, for example ``twitter-service``."""
    package: str
    """``python -m <package> serve|migrate``."""
    api_port: int
    management_port: int
    peers: tuple[str, ...] = ()
    """Names of the services that it calls; auth-service is reached by all."""
    calls_at_once: bool = False
    """It calls its peers as soon as it runs (follows the feed, fills in scores), not only to answer requests."""
    database: bool = True
    redis_number: int = 0
    secrets: tuple[str, ...] = ()
    """Generated secrets, passed as upper-case settings of the same names."""
    uploads: tuple[str, ...] = ()
    """Paths under its prefix that take files, whose bodies the ingress passes on as they come."""
    well_known: tuple[str, ...] = ()
    """Names under ``/.well-known/`` that the ingress routes to it."""

    @property
    def capability(self) -> str:
        """Path prefix ``/v1/<capability>``, database and role."""
        return self.name.removesuffix("-service")

    @property
    def url_setting(self) -> str:
        """The setting of other services that holds its address, for example ``TWITTER_URL``."""
        return f"{self.capability.upper()}_URL"


SERVICES = (
    Service(
        AUTH,
        "auth_service",
        8501,
        8601,
        redis_number=1,
        secrets=("key_encryption_secret",),
        well_known=("openid-configuration", "jwks.json"),
    ),
    Service("sentiment-service", "sentiment_service", 8502, 8602, database=False, redis_number=2),
    Service("openai-service", "openai_service", 8503, 8603, redis_number=3),
    Service(
        "twitter-service",
        "twitter_service",
        8504,
        8604,
        ("sentiment-service",),
        calls_at_once=True,
        redis_number=4,
        uploads=("imports",),
    ),
    Service(
        "trending-service",
        "trending_service",
        8505,
        8605,
        ("rag-service", "twitter-service"),
        calls_at_once=True,
        redis_number=5,
        secrets=("webhook_key",),
    ),
    Service(
        "rag-service",
        "rag_service",
        8506,
        8606,
        ("openai-service", "twitter-service"),
        calls_at_once=True,
        redis_number=6,
    ),
    Service(
        "forecast-service",
        "forecast_service",
        8507,
        8607,
        ("rag-service", "trending-service", "twitter-service"),
        redis_number=7,
    ),
)

PREFERRED_PORTS = {
    INGRESS: 8443,
    "postgres": 8432,
    "valkey": 8379,
    **{service.name: service.api_port for service in SERVICES},
    **{f"{service.name}.management": service.management_port for service in SERVICES},
}


def service_named(name: str) -> Service:
    """Return a service by its name or its capability; raises ``DevstackError`` (usage) for others."""
    for service in SERVICES:
        if name in (service.name, service.capability):
            return service
    known = ", ".join(service.name for service in SERVICES)
    raise DevstackError(f"There is no service {name!r}; the services are {known}.", exit_code=2)


def environment(
    service: Service,
    *,
    ports: Mapping[str, int],
    tls: Mapping[str, str],
    database_url: str | None,
    redis_url: str,
    own: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of a service; ``own`` are settings of this service only."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    where = {
        "API_HOST": LOOPBACK,
        "API_PORT": str(ports[service.name]),
        "MANAGEMENT_HOST": LOOPBACK,
        "MANAGEMENT_PORT": str(ports[f"{service.name}.management"]),
        "REDIS_URL": redis_url,
        # OpenID Connect: the issuer is the address at which its metadata is found.
        "AUTH_ISSUER": f"https://localhost:{ports[INGRESS]}",
    }
    if database_url is not None:
        where["DATABASE_URL"] = database_url
    return {**inherited, **_DEVELOPMENT, **where, **peer_urls(service, ports), **tls, **own}


def peer_urls(service: Service, ports: Mapping[str, int]) -> dict[str, str]:
    """Return the settings with the addresses of a service's peers."""
    reached = [service_named(name) for name in {AUTH, *service.peers}]
    return {peer.url_setting: f"https://{LOOPBACK}:{ports[peer.name]}" for peer in reached}


def check(service: Service) -> list[str]:
    """Return what in this table contradicts the settings of the service: its name, a peer or a secret."""
    # Imported here because no command of the devstack needs the services in its own process.
    settings = importlib.import_module(f"{service.package}.settings")
    known = [value for value in vars(settings).values() if getattr(value, "service_name", None) == service.name]
    if not known:
        return [f"{service.package}.settings has no class with service_name = {service.name!r}"]
    expected = ["DATABASE_URL"] * service.database + [name.upper() for name in service.secrets]
    expected += [service_named(peer).url_setting for peer in service.peers]
    fields = {name.upper() for name in known[0].model_fields}
    return [f"{service.package}: no setting {name}" for name in expected if name not in fields]


def main() -> None:
    """Print the table; exit with 1 when a service contradicts it."""
    print(f"{'service':<20} {'api':>5} {'mgmt':>5}  {'database':<9} calls")
    problems = []
    for service in SERVICES:
        database, calls = service.capability if service.database else "-", ", ".join(service.peers) or "-"
        print(f"{service.name:<20} {service.api_port:>5} {service.management_port:>5}  {database:<9} {calls}")
        problems += check(service)
    sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()

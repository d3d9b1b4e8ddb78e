"""The services and their calls, as each deployment file states them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from chart_tools import CHARTS, NAMES, ROOT, values_of

from auth_service.tokens.grants import GRANTS
from castor_devstack.stack.services import SERVICES

Edges = dict[str, set[str]]


def compose() -> dict[str, Any]:
    """Return docker-compose.yml with its anchors merged."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def in_charts() -> Edges:
    """Read the peers in the charts' values."""
    return {name: set(values_of(name)["peers"]) for name in NAMES}


def in_grants() -> Edges:
    """Read what auth-service grants."""
    return {name: set(GRANTS.get(name, {})) for name in NAMES}


def in_clients() -> Edges:
    """Read which clients each service has: clients/<peer>.py."""
    return {service.name: set(_clients(ROOT / service.name / service.package / "clients")) for service in SERVICES}


def _clients(folder: Path) -> list[str]:
    return [f"{path.stem}-service" for path in folder.glob("*.py") if path.stem != "__init__"]


def in_settings() -> Edges:
    """Read the <peer>_url fields of the settings, which every service has for auth-service."""
    return {
        service.name: _urls((ROOT / service.name / service.package / "settings.py").read_text()) for service in SERVICES
    }


def _urls(source: str) -> set[str]:
    named = {f"{match}-service" for match in re.findall(r"^    (\w+)_url:", source, re.MULTILINE)}
    return named & set(NAMES)


def in_devstack() -> Edges:
    """Read the devstack's table."""
    return {service.name: set(service.peers) for service in SERVICES}


def in_compose() -> Edges:
    """Read the *_URL variables of compose's services; each must hold the peer's own address."""
    return {name: _addresses(compose()["services"][name]["environment"]) - {"auth-service"} for name in NAMES}


def _addresses(environment: dict[str, str]) -> set[str]:
    peers = {
        f"{name.removesuffix('_URL').lower()}-service": url
        for name, url in environment.items()
        if name.endswith("_URL")
    }
    called = {peer: url for peer, url in peers.items() if peer in NAMES}
    assert all(url == f"https://{peer}:8443" for peer, url in called.items())
    return set(called)


def names() -> dict[str, set[str]]:
    """Return the services that each part of the repository knows, by the part."""
    scraped = yaml.safe_load((CHARTS / "development" / "prometheus.yml").read_text())["scrape_configs"][0]
    capabilities = re.findall(r"import capability (\w+)", (CHARTS / "development" / "Caddyfile").read_text())
    return {
        "workspace": {path.parent.name for path in ROOT.glob("*-service/pyproject.toml")},
        "lock": set(re.findall(r'name = "castor-(\w+-service)"\nversion', (ROOT / "uv.lock").read_text())),
        "contracts": {path.name.removesuffix(".v1.yaml") for path in (ROOT / "contracts").glob("*.v1.yaml")},
        "charts": {path.parent.name for path in CHARTS.glob("*-service/Chart.yaml")},
        "compose": {name for name in compose()["services"] if name.endswith("-service")},
        "scrape": {target.split(":")[0] for target in scraped["static_configs"][0]["targets"]},
        "ingress": {f"{name}-service" for name in capabilities},
    }

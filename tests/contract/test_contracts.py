"""Contracts: as the code is, never broken unnoticed, and enough for every client."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from castor_chassis.client.operation import Operation
from castor_chassis.security import auth_client
from tools.contracts.breaking import breaking_changes, operations
from tools.contracts.consumers import unmet

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")


def contract(service: str, folder: Path = CONTRACTS) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((folder / f"{service}.v1.yaml").read_text(), yaml.CSafeLoader)
    return loaded


def clients() -> list[tuple[str, str, Operation]]:
    """Return (caller, peer, operation) of every operation that the client of any service declares."""
    found = []
    for service in SERVICES:
        try:
            package = importlib.import_module(f"{service}_service.clients")
        except ModuleNotFoundError:
            continue
        for module in pkgutil.iter_modules(package.__path__):
            peer = importlib.import_module(f"{package.__name__}.{module.name}")
            found += [(f"{service}-service", f"{module.name}-service", wanted) for wanted in peer.OPERATIONS]
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_contract_is_what_the_code_offers(service: str) -> None:
    """The committed contract equals the export, made in an empty environment."""
    command = [sys.executable, "-m", f"{service}_service", "openapi"]
    exported = subprocess.run(command, capture_output=True, check=True, env={"PATH": ""}, timeout=110, cwd="/")
    committed = (CONTRACTS / f"{service}-service.v1.yaml").read_bytes()
    assert exported.stdout == committed, f"contracts/{service}-service.v1.yaml is stale: run 'make contracts'"


@pytest.mark.parametrize("service", SERVICES)
def test_contract_breaks_no_released_client(service: str) -> None:
    """Nothing that the last released version promised is gone."""
    name = f"{service}-service"
    broken = breaking_changes(contract(name, CONTRACTS / "released"), contract(name))
    assert broken == [], "\n".join([*broken, "keep the old shape beside the new one, or raise the version to v2"])


@pytest.mark.parametrize("service", SERVICES)
def test_paths_follow_the_house(service: str) -> None:
    """Paths are /v1/<capability>/..., /internal/... or a standard's, operations are described, health is elsewhere."""
    for method, path, operation in operations(contract(f"{service}-service")):
        assert path.startswith((f"/v1/{service}/", "/internal/", "/.well-known/")), f"{method} {path}"
        assert operation.get("description") or operation.get("summary"), f"{method} {path} says nothing"


@pytest.mark.parametrize("service", SERVICES)
def test_operations_have_names_for_generated_clients(service: str) -> None:
    """Each operation has an id of its own, a verb and a noun in camelCase, and a tag that the contract describes."""
    document = contract(f"{service}-service")
    found = [operation for _, _, operation in operations(document)]
    names = [operation["operationId"] for operation in found]
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)] == []
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for operation in found for tag in operation["tags"]} == described


def of_every_service() -> list[tuple[str, str, Operation]]:
    """Return the same of the one client that all services have, the chassis's of auth-service."""
    return [("every service", "auth-service", wanted) for wanted in auth_client.OPERATIONS]


@pytest.mark.parametrize(("caller", "peer", "wanted"), [*clients(), *of_every_service()])
def test_clients_ask_only_what_the_contract_offers(caller: str, peer: str, wanted: Operation) -> None:
    """Every operation, field sent and field read of every client stands in the peer's contract."""
    assert unmet(wanted, contract(peer)) == [], caller


def test_edges_are_those_of_the_design() -> None:
    """The clients that exist are exactly the calls that the architecture allows, and auth grants them."""
    from auth_service.tokens.grants import GRANTS

    allowed = {
        ("twitter-service", "sentiment-service"),
        ("trending-service", "twitter-service"),
        ("trending-service", "rag-service"),
        ("rag-service", "twitter-service"),
        ("rag-service", "openai-service"),
        ("forecast-service", "twitter-service"),
        ("forecast-service", "trending-service"),
        ("forecast-service", "rag-service"),
    }
    assert {(caller, peer) for caller, peer, _ in clients()} == allowed
    assert {(caller, audience) for caller, audiences in GRANTS.items() for audience in audiences} == allowed

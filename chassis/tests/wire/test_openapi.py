"""Contracts: exported alike everywhere, and breakage is recognised."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from castor_chassis.wire.openapi import breaking_changes, export_contract
from small_service.app import SmallSettings, create_app


@pytest.fixture
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(export_contract(create_app(SmallSettings.model_construct())))
    return loaded


def test_export_needs_nothing_and_is_stable() -> None:
    """Two exports are the same text, made without a server, a key or a database."""
    first, second = (export_contract(create_app(SmallSettings.model_construct())) for _ in range(2))
    assert first == second
    assert "servers" not in yaml.safe_load(first)


def test_every_route_documents_what_the_chassis_answers(contract: dict[str, Any]) -> None:
    """The statuses that the chassis gives stand in every operation, with our error body."""
    for path in contract["paths"].values():
        for operation in path.values():
            assert {"400", "401", "403", "413", "422", "429", "500", "503", "504"} <= operation["responses"].keys()
            reference = operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
            assert reference.endswith("/ErrorBody")


def test_same_contract_breaks_nothing(contract: dict[str, Any]) -> None:
    """Comparing a contract with itself finds nothing."""
    assert breaking_changes(contract, copy.deepcopy(contract)) == []


def test_breaking_changes_are_found(contract: dict[str, Any]) -> None:
    """Each kind of breakage is named, each kind of growth is not."""
    schemas, echo = ["components", "schemas"], "/v1/small/echo/{name}"

    def changed(change: Any) -> list[str]:
        new = copy.deepcopy(contract)
        change(new)
        return breaking_changes(contract, new)

    def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
        found: dict[str, Any] = document[schemas[0]][schemas[1]][name]
        return found

    assert "the operation is gone" in changed(lambda new: new["paths"][echo].pop("post"))[0]
    assert "no longer answers 200" in changed(lambda new: new["paths"][echo]["post"]["responses"].pop("200"))[0]
    assert "'value' is gone" in changed(lambda new: schema(new, "Echo")["properties"].pop("value"))[0]
    assert "no longer always there" in changed(lambda new: schema(new, "Echo")["required"].remove("value"))[0]
    assert "newly required" in changed(lambda new: schema(new, "Number")["required"].append("at"))[0]
    assert "type changed" in changed(lambda new: schema(new, "Echo")["properties"]["value"].update(type="string"))[0]
    assert "seconds' is gone" in changed(lambda new: new["paths"]["/v1/small/slow"]["get"]["parameters"].clear())[0]
    assert changed(lambda new: schema(new, "Echo")["properties"].update(more={"type": "string"})) == []
    assert changed(lambda new: new["paths"].update({"/v1/small/new": {"get": {"responses": {}}}})) == []

"""Breakage of a contract is recognised, growth is not taken for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from castor_chassis.wire.openapi import export_contract
from small_service.app import SmallSettings, create_app
from tools.contracts.breaking import breaking_changes


@pytest.fixture
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(export_contract(create_app(SmallSettings.model_construct())))
    return loaded


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
    renamed = changed(lambda new: new["paths"][echo]["post"].update(operationId="sendNumber"))
    assert renamed == [f"POST {echo}: the operation is no longer called echoNumber"]
    assert "no longer answers 200" in changed(lambda new: new["paths"][echo]["post"]["responses"].pop("200"))[0]
    assert "'value' is gone" in changed(lambda new: schema(new, "Echo")["properties"].pop("value"))[0]
    assert "no longer always there" in changed(lambda new: schema(new, "Echo")["required"].remove("value"))[0]
    assert "newly required" in changed(lambda new: schema(new, "Number")["required"].append("at"))[0]
    assert "type changed" in changed(lambda new: schema(new, "Echo")["properties"]["value"].update(type="string"))[0]
    assert "seconds' is gone" in changed(lambda new: new["paths"]["/v1/small/slow"]["get"]["parameters"].clear())[0]
    assert changed(lambda new: schema(new, "Echo")["properties"].update(more={"type": "string"})) == []
    assert changed(lambda new: new["paths"].update({"/v1/small/new": {"get": {"responses": {}}}})) == []

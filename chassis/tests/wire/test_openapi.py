"""Contracts: exported alike everywhere, with what the chassis itself answers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from castor_chassis.wire.openapi import export_contract
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

"""Contracts: exported alike everywhere, with what the chassis itself answers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from fastapi import APIRouter
from fastapi.routing import APIRoute

from castor_chassis.wire.openapi import export_contract, operation_id
from small_service.app import SmallSettings, create_app


@pytest.fixture
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(export_contract(create_app(SmallSettings.model_construct())))
    return loaded


def test_export_needs_nothing_and_is_stable() -> None:
    """Two exports are the same text, made without a server, a key or a database."""
    first, second = (export_contract(create_app(SmallSettings.model_construct())) for _ in range(2))
    assert first == second


def test_a_contract_says_whom_to_ask_and_where_it_is_served(contract: dict[str, Any]) -> None:
    """A server whose host can be set, a contact and a licence stand in every contract."""
    assert [server["url"] for server in contract["servers"]] == ["https://{host}"]
    assert contract["servers"][0]["variables"]["host"]["default"]
    assert contract["info"]["contact"]["url"]
    assert contract["info"]["license"]["identifier"] == "MIT"


def test_operations_without_a_token_say_so(contract: dict[str, Any]) -> None:
    """Each operation says which token it takes, an open one that it takes none."""
    assert contract["paths"]["/v1/small/echo/{name}"]["get"]["security"] == [{"Bearer": []}]
    assert contract["paths"]["/v1/small/slow"]["get"]["security"] == []


def test_operations_are_called_as_their_functions(contract: dict[str, Any]) -> None:
    """An operation's id is the name of its function in camelCase, or the one that its route declares."""
    router = APIRouter()
    router.get("/topics", name="list_all_topics")(lambda: None)
    ids = {operation["operationId"] for path in contract["paths"].values() for operation in path.values()}
    assert {"echoNumber", "readName"} <= ids
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert operation_id(route) == "listAllTopics"


def test_every_route_documents_what_the_chassis_answers(contract: dict[str, Any]) -> None:
    """The statuses that the chassis gives stand in every operation, with our error body."""
    for path in contract["paths"].values():
        for operation in path.values():
            assert {"400", "401", "403", "413", "422", "429", "500", "503", "504"} <= operation["responses"].keys()
            reference = operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
            assert reference.endswith("/ErrorBody")

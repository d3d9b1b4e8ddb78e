"""Breakage of a contract is recognised, growth is not taken for it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
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


NULL = {"type": "null"}
WORD = {"type": "string"}
COUNT = {"type": "integer"}
EMPTY: Mapping[str, Any] = {}


def contract_of(
    *, parameter: Any = None, body: Any = None, answer: Any = None, required: bool = False, schemas: Any = EMPTY
) -> dict[str, Any]:
    """Return a contract of one operation, with a query parameter, a body and an answer where they are given."""
    operation: dict[str, Any] = {"operationId": "doIt", "responses": {"200": {"content": {}}}}
    if parameter is not None:
        operation["parameters"] = [{"in": "query", "name": "n", "required": required, "schema": parameter}]
    if body is not None:
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
    if answer is not None:
        operation["responses"]["200"]["content"] = {"application/json": {"schema": answer}}
    return {"paths": {"/v1/a": {"post": operation}}, "components": {"schemas": schemas}}


def record(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def either(*alternatives: Any) -> dict[str, Any]:
    return {"anyOf": list(alternatives)}


KNOWN = {"$ref": "#/components/schemas/Known"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"parameter": WORD}, {"parameter": WORD, "required": True}, "the parameter 'n' is newly required"),
        ({"parameter": WORD}, {"parameter": COUNT}, "the type changed from string to integer"),
        ({"parameter": either(WORD, COUNT)}, {"parameter": WORD}, "no longer accepts integer"),
        ({"parameter": {**COUNT, "maximum": 9}}, {"parameter": {**COUNT, "maximum": 8}}, "maximum is closer, 8"),
        ({"parameter": WORD}, {"parameter": {**WORD, "format": "date"}}, "the format changed from None to date"),
        ({"answer": record(a=either(WORD, NULL))}, {"answer": record(a=either(COUNT, NULL))}, "from string to integer"),
        ({"answer": record(a=WORD)}, {"answer": record(a=either(WORD, NULL))}, ".a: may newly be null"),
        ({"answer": record(a=WORD)}, {"answer": record(a=either(WORD, COUNT))}, ".a: may newly answer integer"),
        ({"answer": {**WORD, "enum": ["x"]}}, {"answer": WORD}, "may newly answer anything"),
        ({"answer": {**WORD, "const": "x"}}, {"answer": {**WORD, "enum": ["x", "y"]}}, "may newly answer ['y']"),
        (
            {"answer": record(a=either(KNOWN, NULL)), "schemas": {"Known": record(b=WORD)}},
            {"answer": record(a=either(KNOWN, NULL)), "schemas": {"Known": record()}},
            ".a: the field 'b' is gone",
        ),
        ({"answer": {"type": "object", "additionalProperties": WORD}},
         {"answer": {"type": "object", "additionalProperties": COUNT}}, "{}: the type changed"),
        ({}, {"body": record("b", b=WORD), "required": True}, "a body is newly required"),
        ({"body": record(a=WORD)}, {"body": record(a=WORD), "required": True}, "a body is newly required"),
        ({"body": record(a=WORD)}, {"body": record(a={**WORD, "enum": ["x"]})}, ".a: no longer accepts anything"),
        ({"body": record(a=either(WORD, NULL))}, {"body": record(a=WORD)}, ".a: null is no longer accepted"),
        ({"body": record(a={})}, {"body": record(a=WORD)}, ".a: the type changed from None to string"),
        ({"body": record()}, {"body": {**record(), "additionalProperties": False}}, "are no longer accepted"),
    ],
)  # fmt: skip
def test_a_break_is_named(before: Any, after: Any, said: str) -> None:
    """What clients may no longer send, or do not expect to read, is one sentence; the way back is growth or another."""
    (found,) = breaking_changes(contract_of(**before), contract_of(**after))
    assert said in found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"parameter": WORD, "required": True}, {"parameter": WORD}),
        ({"parameter": either(WORD, NULL)}, {"parameter": WORD}),
        ({"parameter": WORD}, {"parameter": either(COUNT, WORD)}),
        ({"parameter": WORD}, {"parameter": {**WORD, "maxLength": 2000}}),
        ({"body": record(a=WORD)}, {"body": record(a=either(WORD, NULL), b=COUNT)}),
        ({"body": record(a={**WORD, "enum": ["x"]})}, {"body": record(a=WORD)}),
        ({"body": record(a=WORD)}, {"body": record(a={})}),
        ({"answer": either(record(a=WORD), NULL)}, {"answer": record("b", a=WORD, b=COUNT)}),
        ({"answer": either(WORD, COUNT)}, {"answer": {**WORD, "description": "a word"}}),
        ({"answer": {}}, {"answer": WORD}),
        ({"answer": {**WORD, "enum": ["x", "y"]}}, {"answer": {**WORD, "const": "x"}}),
    ],
)
def test_growth_breaks_nothing(before: Any, after: Any) -> None:
    """What accepts more than before, or answers less variously, is no breakage."""
    assert breaking_changes(contract_of(**before), contract_of(**after)) == []


def test_a_media_type_that_is_gone_is_named() -> None:
    """A client that reads or sends another type than JSON is one too."""
    before, after = contract_of(answer=WORD), contract_of(answer=WORD)
    before["paths"]["/v1/a"]["post"]["responses"]["200"]["content"]["text/csv"] = {}
    assert breaking_changes(before, after) == ["POST /v1/a 200: the media type text/csv is gone"]

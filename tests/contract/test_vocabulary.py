"""One vocabulary in all contracts: spans of time, pages, times, patterns in words, kept answers."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from castor_chassis.storage.idempotency_repository import TABLE
from castor_chassis.storage.migrations import migration_files
from castor_chassis.wire.windows import SINCE, UNTIL
from tools.contracts.breaking import operations

ROOT = Path(__file__).parents[2]
SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")
ENDS = {"since": SINCE, "until": UNTIL}
DAYS = ("First day, of America/Bogota", "Last day, inclusive, of America/Bogota")
EITHER = [{"format": "date", "type": "string"}, {"format": "date-time", "type": "string"}]
ONE_ANSWER = {"readBudgets", "reportUsage", "listRevocations"}
"""Operations whose pages hold a bounded whole."""
RANKED = {"searchDocuments", "listTopics", "listCoordination", "readFeed"}
"""Operations that answer the best so many, or a feed with places of its own."""
SPANLESS = {
    "listApiKeys", "listClients", "listCollections", "listDatasets", "listEntities", "listOidcClients",
    "listOrganisations", "listPasskeys", "listPollSets", "listSavedViews", "listServiceAccounts", "listSessions",
    "listTweetVersions", "listWatches",
}  # fmt: skip
"""Lists of what somebody has set up or has now; all other lists grow with time, and are bounded by it."""
KEYLESS = {
    "addPasskey": "the challenge that it answers holds once",
    "askInConversation": "it waits for a model, and each request is a turn",
    "changeEmail": "the token that was sent last counts",
    "confirmRegistration": "the token holds once",
    "enrolFactor": "the key that was made last counts",
    "forgotPassword": "the token that was sent last counts",
    "importFile": "the same file again stores nothing",
    "registerUser": "an address has one account",
    "retryWatchEvent": "an event that is not dead is not sent",
    "startBacktest": "the same question on the same data is the same job",
    "storeFile": "the same file is one",
    "testWatch": "each request is a message",
}
"""Operations that make something, take no Idempotency-Key, and refuse one; and what a repetition does."""


def contract(service: str) -> dict[str, Any]:
    text = (ROOT / "contracts" / f"{service}-service.v1.yaml").read_text()
    loaded: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return loaded


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in operation.get("parameters", []) if each["in"] == "query"}


def ends_of(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each ``since`` and ``until`` of request bodies with its schema."""
    if isinstance(part, dict):
        for key, value in part.get("properties", {}).items():
            if key in ENDS and "anyOf" in value:
                yield key, value
        for value in part.values():
            yield from ends_of(value)


@pytest.mark.parametrize("service", SERVICES)
def test_since_and_until_are_moments_or_days(service: str) -> None:
    """In queries and bodies both take both, and say what a day means."""
    found = [
        (name, given["schema"], given["description"])
        for _, _, operation in operations(contract(service))
        for name, given in parameters(operation).items()
        if name in ENDS
    ]
    schemas = contract(service)["components"]["schemas"].items()
    # The days of a poll's field work are no span that is asked for.
    inputs = {name: each for name, each in schemas if each.get("additionalProperties") is False and name != "PollIn"}
    found += [(name, schema, schema.get("description", "")) for name, schema in ends_of(inputs)]
    for name, schema, said in found:
        assert [each for each in schema["anyOf"] if each.get("type") != "null"] == EITHER, name
        assert ENDS[name] in said or said.startswith(DAYS), f"{name}: {said}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_list_has_limit_and_cursor(service: str) -> None:
    """A cursor is one opaque text everywhere; what has none answers a bounded whole."""
    document = contract(service)
    for method, path, operation in operations(document):
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        is_page = answer.get("$ref", "").split("/")[-1].startswith("Page_")
        asked = parameters(operation)
        if not is_page or operation["operationId"] in ONE_ANSWER | RANKED:
            continue
        assert {"limit", "cursor"} <= asked.keys(), f"{method} {path}"
        assert ENDS.keys() <= asked.keys() or operation["operationId"] in SPANLESS, f"{method} {path}"
        assert asked["cursor"]["schema"]["anyOf"][0] == {"type": "string", "maxLength": 2000}, f"{method} {path}"


def calls_with_pattern(path: Path) -> Iterator[str]:
    """Yield the calls of a module that give ``pattern=``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and any(each.arg == "pattern" for each in node.keywords):
            yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("service", SERVICES)
def test_patterns_say_in_words_what_they_take(service: str) -> None:
    """``Pattern`` has words; a bare ``pattern=`` has none. Settings are read by operators, not callers."""
    package = ROOT / f"{service}-service" / f"{service}_service"
    modules = [each for each in package.rglob("*.py") if each.name != "settings.py"]
    # A parameter that is documented by hand is not validated by it.
    found = [call for module in modules for call in calls_with_pattern(module) if "oidc/authorize.py" not in call]
    assert found == []


@pytest.mark.parametrize("service", SERVICES)
def test_what_takes_an_idempotency_key_has_the_table(service: str) -> None:
    """Each service whose routes keep answers has the chassis's table, by one migration; no other has it."""
    takes = [
        operation["operationId"]
        for _, _, operation in operations(contract(service))
        for each in operation.get("parameters", [])
        if each["name"] == "Idempotency-Key" and "24 hours" in each.get("description", "")
    ]
    importlib.import_module(f"{service}_service")
    made = [sql for _, sql in migration_files(f"{service}_service") if "idempotent_answers" in sql]
    assert made == ([TABLE] if takes else [])


def test_whatever_makes_something_takes_a_key_or_is_known_not_to() -> None:
    """Each POST that answers 201 or 202 takes an Idempotency-Key, of one form, or stands in the list of the others."""
    makes = {
        operation["operationId"]: [
            each["schema"] for each in operation.get("parameters", []) if each["name"] == "Idempotency-Key"
        ]
        for service in SERVICES
        for method, _, operation in operations(contract(service))
        if method == "POST" and {"201", "202"} & operation["responses"].keys()
    }
    assert {name for name, keys in makes.items() if not keys} == set(KEYLESS)
    assert len({key["anyOf"][0]["pattern"] for (key,) in filter(None, makes.values())}) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_times_are_said_to_be_times(service: str) -> None:
    """Every field named as a moment is one for generated clients, unless it is a number of seconds."""
    found = [
        f"{schema}.{name}"
        for schema, model in contract(service)["components"]["schemas"].items()
        for name, field in model.get("properties", {}).items()
        if re.fullmatch(r"at|as_of|since|until|hour|.*_at|.*_through", name)
        if not any(_is_time(each) for each in [field, *field.get("anyOf", [])])
    ]
    assert found == []


def _is_time(schema: dict[str, Any]) -> bool:
    return schema.get("format") in ("date-time", "date") or schema.get("type") in ("number", "integer")

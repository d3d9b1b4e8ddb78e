"""What is kept for an Idempotency-Key: answers of a day, which no erasure reaches, so they hold no text of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_vocabulary import SERVICES, contract
from tools.contracts.breaking import operations

OF_PEOPLE = frozenset(
    ("answer", "author", "citations", "handle", "positions", "question", "quote", "sample_tweet_ids", "samples",
     "snippet", "standalone", "text", "username")
)  # fmt: skip
"""Names under which the contracts answer what somebody wrote, and who did."""


def names_in(schema: Any, within: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the names of all fields of a schema, however deep."""
    if isinstance(schema, list):
        for part in schema:
            yield from names_in(part, within, seen)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        yield from names_in(within["components"]["schemas"][name], within, seen | {name})
    yield from schema.get("properties", {})
    for key, part in schema.items():
        yield from names_in(list(part.values()) if key == "properties" else part, within, seen)


def answered(operation: dict[str, Any], within: dict[str, Any]) -> set[str]:
    """Return the names of all fields that an operation answers with success."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return set(names_in([answer.get("content", {}) for answer in answers], within))


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_kept_for_a_key_holds_no_text_of_people(service: str) -> None:
    """Who takes an Idempotency-Key answers ids, settings and numbers."""
    whole = contract(service)
    for _, _, operation in operations(whole):
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", [])):
            assert answered(operation, whole) & OF_PEOPLE == set(), operation["operationId"]


def test_what_answers_text_of_people_is_known_by_these_names() -> None:
    """The check finds fields of answers that stand deep in them."""
    whole = contract("rag")
    named = {operation["operationId"]: answered(operation, whole) for _, _, operation in operations(whole)}
    assert named["askInConversation"] >= {"answer", "citations", "quote", "author", "question"}
    assert named["storeDocuments"] >= {"ids", "created"}

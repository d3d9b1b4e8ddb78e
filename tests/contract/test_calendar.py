"""Every date and time that any service takes, at both ends of the calendar and beyond them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, find, settings
from schemathesis import Case, GenerationMode

from castor_devstack.testing_system import System
from tests.contract import calendar_ends

CONTRACTS = Path(__file__).parents[2] / "contracts"
SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")
WITHOUT_TIMES = {"sentiment"}
ITEM = "[]"
VALUES = {
    "date-time": (calendar_ends.IN_RANGE, calendar_ends.OUT_OF_RANGE),
    "date": (calendar_ends.DAYS_IN_RANGE, calendar_ends.DAYS_OUT_OF_RANGE),
}


@dataclass(frozen=True)
class Place:
    """A parameter or a field of a body that holds a time; ``names`` lead to it, ``[]`` to the items of a list."""

    operation: Any
    within: str
    names: tuple[str, ...]
    formats: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operation.label} {self.within}.{'.'.join(self.names)}"

    def values(self) -> Iterator[tuple[str, bool]]:
        """Yield what is put there, and whether the calendar has it."""
        for kind in self.formats:
            good, bad = VALUES[kind]
            yield from ((value, True) for value in good)
            yield from ((value, False) for value in bad)


def times_in(schema: Any, root: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the names that lead to each date and time within a JSON schema, and its format."""
    while "$ref" in schema:
        schema = _resolved(schema["$ref"], root)
    if schema.get("format") in VALUES:
        yield names, schema["format"]
    for name, child in schema.get("properties", {}).items():
        yield from times_in(child, root, (*names, name))
    for child in itertools.chain(*(schema.get(key, ()) for key in ("anyOf", "oneOf", "allOf"))):
        yield from times_in(child, root, names)
    if isinstance(schema.get("items"), dict):
        yield from times_in(schema["items"], root, (*names, ITEM))


def _resolved(reference: str, root: Any) -> Any:
    found = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def places(contract: Any) -> list[Place]:
    """Return every place of a contract that takes a date or a time."""
    found: dict[tuple[str, str, tuple[str, ...]], Place] = {}
    for operation in (result.ok() for result in contract.get_all_operations()):
        definition = operation.definition.raw
        sources = [(one["in"], (one["name"],), one.get("schema", {})) for one in definition.get("parameters", ())]
        bodies = definition.get("requestBody", {}).get("content", {}).values()
        for within, names, schema in [*sources, *(("body", (), body["schema"]) for body in bodies)]:
            for path, kind in times_in(schema, contract.raw_schema, names):
                key = (operation.label, within, path)
                known = found[key].formats if key in found else ()
                found[key] = Place(operation, within, path, tuple(dict.fromkeys((*known, kind))))
    return list(found.values())


def smallest(place: Place) -> Case:
    """Return the smallest request of the operation in which the place can be reached."""
    steps = settings(database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), max_examples=500)
    strategy = place.operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    return find(strategy, lambda case: _put(case, place, "2026-05-29T05:00:00Z") is not None, settings=steps)


def _put(case: Case, place: Place, value: str) -> Case | None:
    """Return a copy of ``case`` with ``value`` at the place, None where the case has no such place."""
    query, body = deepcopy(case.query) or {}, deepcopy(case.body)
    holders = [query] if place.within == "query" else [body]
    for name in place.names[:-1]:
        if name == ITEM:
            holders = [item for holder in holders for item in holder or ()]
        else:
            holders = [holder.setdefault(name, {}) for holder in holders if isinstance(holder, dict)]
    if not holders or not all(isinstance(holder, dict) for holder in holders):
        return None
    for holder in holders:
        holder[place.names[-1]] = value
    has_body = "requestBody" in place.operation.definition.raw
    of_body = {"body": body, "media_type": case.media_type} if has_body else {}
    return place.operation.Case(path_parameters=case.path_parameters, headers=case.headers, query=query, **of_body)


def refused(place: Place, case: Case, call: dict[str, Any]) -> list[str]:
    """Return what is wrong with the answers to each end of the calendar at one place."""
    wrong = []
    documented = {str(status) for status in place.operation.definition.raw["responses"]}
    for value, exists in place.values():
        changed = _put(case, place, value)
        assert changed is not None
        answer = changed.call(**call)
        expected = documented - {"500"} if exists else {"422"}
        if str(answer.status_code) not in expected:
            wrong.append(f"{place} = {value}: {answer.status_code} {answer.text[:200]}")
    return wrong


@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", SERVICES)
def test_no_time_of_the_calendar_breaks_a_service(system: System, service: str) -> None:
    """Each time that a service takes may be any moment: it is answered or refused by name, and never an accident."""
    name = f"{service}-service"
    found = places(schemathesis.openapi.from_path(CONTRACTS / f"{name}.v1.yaml"))
    assert bool(found) != (service in WITHOUT_TIMES)
    identity = system.home / "pki" / name / "current"
    call = {
        "base_url": system.status()["services"][name]["api"],
        "headers": {"Authorization": f"Bearer {system.castor('token').stdout.strip()}"},
        "cert": (str(identity / "cert.pem"), str(identity / "key.pem")),
        "verify": str(system.home / "pki" / "ca.pem"),
    }
    assert [line for place in found for line in refused(place, smallest(place), call)] == []

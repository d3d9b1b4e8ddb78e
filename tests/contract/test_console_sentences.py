"""The console has a sentence for every refusal of what it calls, and none for codes that nobody sends."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from castor_chassis import ServiceError
from castor_devstack.stack.services import SERVICES

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "console" / "src"
CALL = re.compile(r'\b([a-z]+)\.(GET|POST|PUT|PATCH|DELETE)\(\s*"(/v1/[^"]+)"')
WRITTEN_OUT = re.compile(r'(?:open\("(POST)", |fetch\()`(/v1/([a-z]+)/[a-z/]+)')
"""An upload and a download, which do not go through the typed client."""
SENTENCE = re.compile(r"^  ([a-z0-9_]+): \(", re.MULTILINE)
OF_THE_CONSOLE = {"offline", "unreachable", "no_answer"}
"""Codes that the console gives to requests without an answer."""
OF_HTTP = {"malformed_request", "body_too_large"}
"""Codes of what the chassis refuses before a route, which have no class of their own (chassis/tests/service)."""
NEVER_MET = {"idempotency_unsupported"}
"""The console sends an Idempotency-Key only where one is taken."""
OF_OPENID = {"access_denied", "invalid_grant", "invalid_client"}
"""Codes of OAuth 2.0, which the login page and the token endpoint answer with."""


def calls() -> set[tuple[str, str, str]]:
    """Return (service, method, path) of every operation that the console's sources name."""
    files = [file for suffix in ("svelte", "ts") for file in SOURCES.rglob(f"*.{suffix}") if ".test" not in file.name]
    text = "\n".join(file.read_text() for file in files)
    found = {(f"{client}-service", method, path) for client, method, path in CALL.findall(text)}
    return found | {(f"{room}-service", method or "GET", path) for method, path, room in WRITTEN_OUT.findall(text)}


def errors(package: str) -> list[type[ServiceError]]:
    """Return the errors that a package defines, of all of its modules that its application imports."""
    importlib.import_module("castor_chassis" if package == "castor_chassis" else f"{package}.app")
    return [error for error in descendants(ServiceError) if error.__module__.split(".")[0] == package]


def descendants(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield error
    for child in error.__subclasses__():
        yield from descendants(child)


@cache
def contract(service: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / "contracts" / f"{service}.v1.yaml").read_text(), yaml.CSafeLoader)
    return loaded


def answers(service: str, method: str, path: str) -> set[str]:
    """Return the codes of the service's own errors that an operation answers with, by its contract's descriptions."""
    responses = contract(service)["paths"][path][method.lower()]["responses"]
    return {
        error.code
        for error in errors(service.replace("-", "_"))
        if (error.__doc__ or error.code).strip() in responses.get(str(error.status), {}).get("description", "")
    }


def told(code: str) -> bool:
    """Whether the console has words for a code; those of what is not there are one sentence."""
    return code in sentences() or code.endswith("_not_found")


@cache
def sentences() -> frozenset[str]:
    return frozenset(SENTENCE.findall((SOURCES / "lib" / "errors.ts").read_text()))


def test_the_sources_are_read() -> None:
    """The operations of all services, a file sent and a file fetched are among what the console calls."""
    found = calls()
    assert {service for service, _, _ in found} == {service.name for service in SERVICES}
    assert ("twitter-service", "POST", "/v1/twitter/imports") in found
    assert ("twitter-service", "GET", "/v1/twitter/exports") in found


@pytest.mark.parametrize("call", sorted(calls()), ids=" ".join)
def test_every_refusal_of_an_operation_has_a_sentence(call: tuple[str, str, str]) -> None:
    """Whatever code the operation answers with is told in the reader's language."""
    assert {code for code in answers(*call) if not told(code)} == set()


def test_every_refusal_of_any_operation_has_a_sentence() -> None:
    """So is what the chassis answers with on behalf of every service."""
    codes = OF_HTTP | {error.code for error in errors("castor_chassis")} - NEVER_MET
    assert {code for code in codes if not told(code)} == set()


def test_no_sentence_waits_for_a_code_that_nobody_sends() -> None:
    """A renamed code would leave its sentence behind and its readers with English."""
    packages = ["castor_chassis", *(service.package for service in SERVICES)]
    sent = {error.code for package in packages for error in errors(package)}
    assert sentences() - sent - OF_HTTP - OF_THE_CONSOLE - OF_OPENID == set()

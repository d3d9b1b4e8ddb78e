"""The answers of a stub: operations of a contract by method and path, each with its example."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from castor_devstack.errors import DevstackError
from castor_devstack.stubs.examples import FIRST_PAGE, example, resolved

CONTRACTS = Path(__file__).parents[3] / "contracts"
_METHODS = ("get", "put", "post", "delete", "patch")
_BLANKS = {"ok": False, "error": "The stub has no such operation; see its contract.", "code": "not_found"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StubbedOperation:
    """One operation and its answer."""

    method: str
    path: re.Pattern[str]
    status: int
    media_type: str
    value: Any

    def answer(self, query: Mapping[str, str]) -> Answer:
        """Return the example; a list that was read to its only page is empty after it."""
        value = self.value
        if FIRST_PAGE in (query.get("after"), query.get("cursor")) and isinstance(value, dict):
            value = _emptied(value)
        text = json.dumps(value) if self.media_type == "application/json" else ""
        return Answer(self.status, self.media_type, text.encode())


def _emptied(value: dict[str, Any]) -> dict[str, Any]:
    data, meta = value.get("data"), value.get("meta")
    if not isinstance(data, dict) or "items" not in data:
        return value
    ended = {**meta, "at_end": True} if isinstance(meta, dict) and "at_end" in meta else meta
    return {**value, "data": {**data, "items": []}, "meta": ended}


def read_contract(service: str) -> dict[str, Any]:
    """Return the contract of a service; raises ``DevstackError`` outside of a checkout, where there is none."""
    file = CONTRACTS / f"{service}.v1.yaml"
    if not file.exists():
        raise DevstackError(f"There is no contract {file}: stubs need a checkout of the repository.", exit_code=2)
    # The loader in C takes a tenth of the time; only a build of PyYAML from source may lack it.
    loaded: dict[str, Any] = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


class StubbedContract:
    """The operations of one service, as its contract says them."""

    def __init__(self, service: str) -> None:
        """Read the contract; raises as ``read_contract``."""
        document = read_contract(service)
        self.operations = [
            _stubbed(method, path, item[method], document)
            # Paths with the fewest parameters first: /a/b before /a/{id}.
            for path, item in sorted(document["paths"].items(), key=lambda pair: pair[0].count("{"))
            for method in _METHODS
            if method in item
        ]

    def answer(self, method: str, path: str, query: Mapping[str, str]) -> Answer:
        """Return the answer to a request: an example, or 404."""
        for operation in self.operations:
            if operation.method == method and operation.path.fullmatch(path):
                return operation.answer(query)
        return Answer(404, "application/json", json.dumps({**_BLANKS, "request_id": "stub"}).encode())


def _stubbed(method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> StubbedOperation:
    status, response = next((code, body) for code, body in operation["responses"].items() if int(code) < 400)
    contents: Mapping[str, Any] = response.get("content") or {"application/json": {}}
    media_type, content = next(iter(contents.items()))
    schema = resolved(content.get("schema", {}), document)
    pattern = re.compile(re.sub(r"\\\{[^}]*\}", "[^/]+", re.escape(path)))
    return StubbedOperation(method.upper(), pattern, int(status), media_type, example(schema, document))

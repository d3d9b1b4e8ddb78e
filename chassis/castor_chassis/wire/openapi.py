"""The OpenAPI contract of a service, exported the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute

_DESCRIPTION = """\
Answers are `{"ok": true, "data": ..., "meta": ...}`, failures `{"ok": false, "error": "one sentence", "code": "...",
"details": ..., "request_id": "..."}`. A 422 names each field in `details.fields`. A 429 or 503 says in `Retry-After`
when to try again.

Times are RFC 3339 in UTC with milliseconds. `since` and `until` take a moment or a day of America/Bogota: a span holds
what is not older than `since` and older than `until`, and a day given as `until` is in it. Where `as_of` stands beside
them, nothing later than it was known. Lists take `limit` and `cursor`, and answer `meta.next_cursor`, which belongs to
its query. A POST that takes an `Idempotency-Key` does one thing however often it is sent within 24 hours.
"""
_SERVER = {
    "url": "https://{host}",
    "description": "The ingress; services reach each other at <service>:8443.",
    "variables": {"host": {"default": "localhost:8443", "description": "Where 'castor up' serves it."}},
}


def operation_id(route: APIRoute) -> str:
    """Return the route's name, that of its function unless it declares one, in camelCase: ``listTopics``."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def contract_arguments(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what a contract says about itself, as arguments of ``FastAPI``; ``tags`` are names with their meaning."""
    return {
        "description": _DESCRIPTION,
        "contact": {"name": "The maintainers of CASTOR", "url": "https://github.com/castor/castor"},
        "license_info": {"name": "MIT", "identifier": "MIT"},
        "servers": [_SERVER],
        "openapi_tags": [{"name": name, "description": text} for name, text in tags.items()],
        "generate_unique_id_function": operation_id,
    }


def export_contract(app: FastAPI) -> str:
    """Return the contract as YAML with sorted keys; needs no network, key, model or database."""
    contract = _named_bounds(app.openapi())
    for path in contract["paths"].values():
        for operation in path.values():
            operation.setdefault("security", [])  # public, or open to certificates of services only
        if "get" in path:
            path["get"]["responses"]["304"] = {"description": "The caller has this answer already (If-None-Match)."}
    return yaml.safe_dump(contract, sort_keys=True, allow_unicode=True, width=110)


# Pydantic names a bound so when a validator of ours stands before it.
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def _named_bounds(part: Any) -> Any:
    if isinstance(part, list):
        return [_named_bounds(each) for each in part]
    if not isinstance(part, dict):
        return part
    is_number = part.get("type") in ("integer", "number")
    names = _BOUNDS if is_number else {}
    return {names.get(key, key): _named_bounds(value) for key, value in part.items()}

"""The OpenAPI contract of a service, exported the same on every machine."""

from __future__ import annotations

from typing import Any

import yaml
from fastapi import FastAPI


def export_contract(app: FastAPI) -> str:
    """Return the contract as YAML with sorted keys; needs no network, key, model or database."""
    schema = _named_bounds(app.openapi())
    schema.pop("servers", None)
    return yaml.safe_dump(schema, sort_keys=True, allow_unicode=True, width=110)


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

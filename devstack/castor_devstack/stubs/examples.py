"""An example of a JSON Schema: what the contract gives, else the smallest value that it allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOMENT = "2026-05-29T05:00:00.000Z"
FIRST_PAGE = "1"
"""``meta.next_cursor`` of every page: there is one."""
_FORMATS = {
    "date-time": MOMENT,
    "date": "2026-05-29",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "uri": "https://example.org/",
    "email": "ana@example.org",
}
_TEXTS = ("ejemplo", "es", "1", "a")
_DEEPEST = 12
Schema = Mapping[str, Any]


def resolved(schema: Schema, document: Schema) -> Schema:
    """Return the schema that a reference within ``document`` stands for."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def example(schema: Schema, document: Schema, name: str = "", depth: int = 0) -> Any:
    """Return a value that is valid for ``schema``; ``name`` is that of its field."""
    schema = resolved(schema, document)
    for key in ("const", "example"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _chosen(schema[key], document, name, depth)
    return _of_type(schema, document, name, depth)


def _chosen(options: list[Schema], document: Schema, name: str, depth: int) -> Any:
    """Return an example of the first option that is not null; of the null one too deep down, where types recur."""
    nulls = [option for option in options if resolved(option, document).get("type") == "null"]
    if nulls and depth > _DEEPEST:
        return None
    return example(next((option for option in options if option not in nulls), options[0]), document, name, depth + 1)


def _of_type(schema: Schema, document: Schema, name: str, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "null")
    if kind == "object":
        required = schema.get("required", ())
        fields = schema.get("properties", {}).items()
        wanted = ((key, field) for key, field in fields if depth <= _DEEPEST or key in required)
        return {key: example(field, document, key, depth + 1) for key, field in wanted}
    if kind == "array":
        # One of each, but nothing in the list of what an answer was made without.
        count = schema.get("minItems", 0 if depth > _DEEPEST or name == "degraded" else 1)
        return [example(schema.get("items", {}), document, name, depth + 1) for _ in range(count)]
    if kind == "string":
        return _text(schema, name)
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return min(least, schema.get("maximum", least))
    return None if kind == "null" else False


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if name == "next_cursor" or name == "id" or name.endswith("_id"):
        return FIRST_PAGE
    if name == "at" or name.endswith("_at"):
        return MOMENT
    pattern, shortest = schema.get("pattern", ""), schema.get("minLength", 0)
    fitting = (text.ljust(shortest, "a")[: schema.get("maxLength")] for text in _TEXTS)
    return next((text for text in fitting if re.search(pattern, text)), _TEXTS[0])

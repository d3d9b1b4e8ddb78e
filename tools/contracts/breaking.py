"""What a change of a contract would break for clients of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_DEPTH = 12


def operations(contract: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield (METHOD, path, operation) of every operation."""
    for path, item in contract.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def breaking_changes(old: Json, new: Json) -> list[str]:
    """Return what would break a client of ``old`` that meets ``new``, one sentence each.

    Breaking in general: an operation, its id (the name of a method in generated clients), a success status or a media
    type that is gone. In a request: a parameter, a field or a body that is gone or newly required; null, a type, an
    alternative, a format or a value that is no longer accepted; a bound closer than the one before. In a response:
    a field that is gone or no longer always there; null, a type, an alternative, a format or a value that is new.
    """
    found: list[str] = []
    offered = {(method, path): operation for method, path, operation in operations(new)}
    for method, path, operation in operations(old):
        label = f"{method} {path}"
        if (method, path) not in offered:
            found.append(f"{label}: the operation is gone")
            continue
        found += _operation_breaks(label, operation, offered[method, path], old, new)
    return found


def _operation_breaks(label: str, before: Json, after: Json, old: Json, new: Json) -> Iterator[str]:
    name = before.get("operationId", "_")
    if name != after.get("operationId") and "_" not in name:  # those with "_" were made of path and method
        yield f"{label}: the operation is no longer called {name}"
    requests, responses = _Schemas(old, new, is_request=True), _Schemas(old, new, is_request=False)
    yield from _parameter_breaks(label, before, after, requests)
    body, next_body = before.get("requestBody", {}), after.get("requestBody", {})
    if next_body.get("required") and not body.get("required"):
        yield f"{label}: a body is newly required"
    yield from _content_breaks(f"{label} request", body, next_body, requests)
    for status, response in before.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in after.get("responses", {}):
            yield f"{label}: no longer answers {status}"
            continue
        yield from _content_breaks(f"{label} {status}", response, after["responses"][status], responses)


def _parameter_breaks(label: str, before: Json, after: Json, schemas: _Schemas) -> Iterator[str]:
    old = {(p["in"], p["name"]): p for p in before.get("parameters", ())}
    new = {(p["in"], p["name"]): p for p in after.get("parameters", ())}
    for key, parameter in new.items():
        if parameter.get("required") and not old.get(key, {}).get("required"):
            yield f"{label}: the parameter '{parameter['name']}' is newly required"
    for (place, name), parameter in sorted(old.items()):
        if (place, name) not in new:
            yield f"{label}: the {place} parameter '{name}' is gone"
            continue
        # A query or a header cannot say null, so that it does not matter whether null is accepted.
        pair = parameter.get("schema", {}), {"anyOf": [new[place, name].get("schema", {}), {"type": "null"}]}
        yield from schemas.breaks(f"{label} {place} parameter '{name}'", *pair)


def _content_breaks(label: str, before: Json, after: Json, schemas: _Schemas) -> Iterator[str]:
    for media, content in before.get("content", {}).items():
        if media not in after.get("content", {}):
            yield f"{label}: the media type {media} is gone"
        elif media != "text/event-stream":  # OpenAPI 3.1 has no word for events; the schema is a reader's help.
            yield from schemas.breaks(label, content.get("schema", {}), after["content"][media].get("schema", {}))


@dataclass(frozen=True)
class _Schemas:
    """The schemas of two contracts, of what clients send or of what they read."""

    old: Json
    new: Json
    is_request: bool

    def breaks(self, label: str, before: Json, after: Json, depth: int = _DEPTH) -> Iterator[str]:
        """Yield what breaks between a schema and its successor."""
        olds, news = _alternatives(before, self.old), _alternatives(after, self.new)
        if depth == 0 or (not self.is_request and {} in olds):
            return
        yield from self._null_breaks(label, olds, news)
        olds, news = _without_null(olds), _without_null(news)
        if len(olds) == len(news) == 1:
            yield from self._one_breaks(label, olds[0], news[0], depth)
            return
        # Each of what a client may send must be accepted; each of what it may read must be known to it.
        for one in olds if self.is_request else news:
            pairs = [(one, other) for other in news] if self.is_request else [(other, one) for other in olds]
            if all(any(self._one_breaks(label, *pair, depth)) for pair in pairs):
                yield f"{label}: {'no longer accepts' if self.is_request else 'may newly answer'} {_kind(one)}"

    def _null_breaks(self, label: str, olds: list[Json], news: list[Json]) -> Iterator[str]:
        was, is_ = (any(_is_null(one) for one in several) for several in (olds, news))
        if self.is_request and was and not is_ and {} not in news:
            yield f"{label}: null is no longer accepted"
        if not self.is_request and is_ and not was:
            yield f"{label}: may newly be null"

    def _one_breaks(self, label: str, before: Json, after: Json, depth: int) -> Iterator[str]:
        if self.is_request and not after:
            return
        if before.get("type") != after.get("type"):
            yield f"{label}: the type changed from {before.get('type')} to {after.get('type')}"
            return
        yield from self._value_breaks(label, before, after)
        yield from self._format_breaks(label, before, after)
        if self.is_request and after.get("additionalProperties") is False is not before.get("additionalProperties"):
            yield f"{label}: fields that it does not name are no longer accepted"
        yield from self._required_breaks(label, before, after)
        for name, field in before.get("properties", {}).items():
            if name not in after.get("properties", {}):
                yield f"{label}: the field '{name}' is gone"
                continue
            yield from self.breaks(f"{label}.{name}", field, after["properties"][name], depth - 1)
        for part, mark in (("items", "[]"), ("additionalProperties", "{}")):
            inner, next_inner = before.get(part), after.get(part)
            if isinstance(inner, dict) and isinstance(next_inner, dict):
                yield from self.breaks(label + mark, inner, next_inner, depth - 1)

    def _value_breaks(self, label: str, before: Json, after: Json) -> Iterator[str]:
        old, new = _values(before), _values(after)
        if self.is_request:
            if new is not None and (old is None or set(old) - set(new)):
                yield f"{label}: no longer accepts {'anything' if old is None else sorted(set(old) - set(new))}"
            closer = [name for name in _MOST if name in before and after.get(name, _FAR) < before[name]]
            closer += [name for name in _LEAST if name in before and after.get(name, -_FAR) > before[name]]
            yield from (f"{label}: {name} is closer, {after[name]}" for name in closer)
        elif old is not None and (new is None or set(new) - set(old)):
            yield f"{label}: may newly answer {'anything' if new is None else sorted(set(new) - set(old))}"

    def _format_breaks(self, label: str, before: Json, after: Json) -> Iterator[str]:
        old, new = before.get("format"), after.get("format")
        if old != new and (new if self.is_request else old):
            yield f"{label}: the format changed from {old} to {new}"

    def _required_breaks(self, label: str, before: Json, after: Json) -> Iterator[str]:
        old, new = set(before.get("required", ())), set(after.get("required", ()))
        for name in sorted(new - old if self.is_request else old - new):
            yield f"{label}: the field '{name}' is {'newly required' if self.is_request else 'no longer always there'}"


_FAR = float("inf")


def _alternatives(schema: Json, document: Json) -> list[Json]:
    """Return the schemas one of which holds; {} accepts anything."""
    schema = _resolved(schema, document)
    several: Iterable[Json] = schema.get("anyOf") or schema.get("oneOf") or ()
    if isinstance(schema.get("type"), list):
        several = [{**schema, "type": kind} for kind in schema["type"]]
    return [inner for one in several for inner in _alternatives(one, document)] or [_meaning(schema)]


def _meaning(schema: Json) -> Json:
    """Return a schema without what only describes it."""
    return {key: value for key, value in schema.items() if key not in ("title", "description", "default", "examples")}


def _resolved(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = document["components"]["schemas"][name]
    return schema


def _is_null(schema: Json) -> bool:
    return schema.get("type") == "null"


def _without_null(several: list[Json]) -> list[Json]:
    return [one for one in several if not _is_null(one)] or several


def _values(schema: Json) -> list[Any] | None:
    """Return the only values that there are; None: any of the type."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _kind(schema: Json) -> str:
    return f"{schema.get('type', 'anything')}" + (f" {_values(schema)}" if _values(schema) else "")

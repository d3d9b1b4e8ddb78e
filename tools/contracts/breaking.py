"""What a change of a contract would break for clients of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_METHODS = ("get", "put", "post", "delete", "patch")


def operations(contract: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (METHOD, path, operation) of every operation."""
    for path, item in contract.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what would break a client of ``old`` that meets ``new``, one sentence each.

    Breaking: an operation, its id (the name of a method in generated clients), a success status, or a response
    field that is gone; a response field that is no longer required; a request field or parameter that is newly
    required; a changed type; a narrower
    enumeration in a request; a wider one in a response.
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


def _operation_breaks(
    label: str, before: dict[str, Any], after: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> Iterator[str]:
    name = before.get("operationId", "_")
    if name != after.get("operationId") and "_" not in name:  # those with "_" were made of path and method
        yield f"{label}: the operation is no longer called {name}"
    known = {(p["in"], p["name"]) for p in before.get("parameters", ())}
    for parameter in after.get("parameters", ()):
        if parameter.get("required") and (parameter["in"], parameter["name"]) not in known:
            yield f"{label}: the parameter '{parameter['name']}' is newly required"
    kept = {(p["in"], p["name"]) for p in after.get("parameters", ())}
    for place, name in sorted(known - kept):
        yield f"{label}: the {place} parameter '{name}' is gone"
    yield from _schema_breaks(f"{label} request", _body(before), _body(after), old, new, request=True)
    for status, response in before.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in after.get("responses", {}):
            yield f"{label}: no longer answers {status}"
            continue
        pair = _content(response), _content(after["responses"][status])
        yield from _schema_breaks(f"{label} {status}", *pair, old, new, request=False)


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    return _content(operation.get("requestBody", {}))


def _content(part: dict[str, Any]) -> dict[str, Any]:
    for media in part.get("content", {}).values():
        schema: dict[str, Any] = media.get("schema", {})
        return schema
    return {}


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = document["components"]["schemas"][name]
    return schema


def _schema_breaks(
    label: str,
    before: dict[str, Any],
    after: dict[str, Any],
    old: dict[str, Any],
    new: dict[str, Any],
    *,
    request: bool,
    depth: int = 12,
) -> Iterator[str]:
    before, after = _resolved(before, old), _resolved(after, new)
    if depth == 0 or not before:
        return
    if before.get("type") != after.get("type") and not _only_nullable_added(before, after, request):
        yield f"{label}: the type changed from {before.get('type')} to {after.get('type')}"
        return
    yield from _enum_breaks(label, before, after, request)
    yield from _required_breaks(label, before, after, request)
    for name, field in before.get("properties", {}).items():
        if name not in after.get("properties", {}):
            yield f"{label}: the field '{name}' is gone"
            continue
        child = after["properties"][name]
        yield from _schema_breaks(f"{label}.{name}", field, child, old, new, request=request, depth=depth - 1)
    if "items" in before and "items" in after:
        yield from _schema_breaks(
            f"{label}[]", before["items"], after["items"], old, new, request=request, depth=depth - 1
        )


def _only_nullable_added(before: dict[str, Any], after: dict[str, Any], request: bool) -> bool:
    # Accepting null in a request as well breaks nobody; answering it does.
    types = {option.get("type") for option in after.get("anyOf", ())}
    return request and before.get("type") in types


def _enum_breaks(label: str, before: dict[str, Any], after: dict[str, Any], request: bool) -> Iterator[str]:
    if "enum" not in before or "enum" not in after:
        return
    old, new = set(before["enum"]), set(after["enum"])
    if request and old - new:
        yield f"{label}: no longer accepts {sorted(old - new)}"
    if not request and new - old:
        yield f"{label}: may newly answer {sorted(new - old)}"


def _required_breaks(label: str, before: dict[str, Any], after: dict[str, Any], request: bool) -> Iterator[str]:
    old, new = set(before.get("required", ())), set(after.get("required", ()))
    changed = new - old if request else old - new
    for name in sorted(changed):
        yield f"{label}: the field '{name}' is {'newly required' if request else 'no longer always there'}"

"""What a client uses of a peer and the peer's contract does not offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castor_chassis.client.operation import Operation

Schema = dict[str, Any]


def unmet(wanted: Operation, contract: Schema) -> list[str]:
    """Return what ``wanted`` needs and ``contract`` does not offer, one sentence each.

    A field that is read must be answered: always where the reader requires it, in at least one of several shapes of
    the answer where it has a default.
    """
    label = f"{wanted.method} {wanted.path}"
    offered = contract["paths"].get(wanted.path, {}).get(wanted.method.lower())
    if offered is None:
        return [f"{label} is not offered"]
    accepted, required = _inputs(offered, contract)
    found = [f"{label} does not take '{name}'" for name in wanted.sends if name not in accepted]
    found += [f"{label} requires '{name}', which is not sent" for name in required if name not in wanted.sends]
    if wanted.reads is not None:
        answer = _data(_success(offered), contract)
        found += [f"{label} {problem}" for problem in _unread(wanted.reads.model_json_schema(), answer, contract)]
    return found


def _inputs(operation: Schema, contract: Schema) -> tuple[set[str], set[str]]:
    parameters = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    accepted = {p["name"] for p in parameters}
    required = {p["name"] for p in parameters if p.get("required")}
    for media in operation.get("requestBody", {}).get("content", {}).values():
        body = _resolved(media["schema"], contract)
        accepted |= body.get("properties", {}).keys()
        required |= set(body.get("required", ()))
    return accepted, required


def _success(operation: Schema) -> Schema:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for media in response.get("content", {}).values():
                schema: Schema = media["schema"]
                return schema
    return {}


def _data(answer: Schema, contract: Schema) -> Schema:
    body = _resolved(answer, contract)
    properties = body.get("properties", {})
    return _resolved(properties["data"], contract) if {"ok", "data"} <= properties.keys() else body


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        section, name = schema["$ref"].rsplit("/", 2)[1:]
        schema = document["$defs"][name] if section == "$defs" else document["components"]["schemas"][name]
    return schema


def _unread(reader: Schema, answer: Schema, contract: Schema, *, within: Schema | None = None) -> Iterator[str]:
    root = within or reader
    reader, shapes = _plain(reader, root), _shapes(answer, contract)
    for name, field in reader.get("properties", {}).items():
        having = [shape for shape in shapes if name in shape.get("properties", {})]
        if not having:
            yield f"does not answer '{name}'"
            continue
        if name in reader.get("required", ()) and len(having) < len(shapes):
            yield f"does not always answer '{name}'"
        child = having[0]["properties"][name]
        wanted, given = _types(field, root), _types(child, contract)
        if wanted and given and not wanted & given:
            yield f"answers '{name}' as {sorted(given)}, which is read as {sorted(wanted)}"
        yield from _unread(field, child, contract, within=root)
    if "items" in reader and "items" in shapes[0]:
        yield from _unread(reader["items"], shapes[0]["items"], contract, within=root)


def _shapes(answer: Schema, contract: Schema) -> list[Schema]:
    """Return the schemas that a value may have; one where it is no union."""
    schema = _plain(answer, contract)
    options = [_resolved(option, contract) for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    objects = [option for option in options if option.get("type") == "object"]
    return objects or [schema]


def _plain(schema: Schema, document: Schema) -> Schema:
    """Resolve references and drop the null of an optional value."""
    schema = _resolved(schema, document)
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return _resolved(options[0], document) if len(options) == 1 else schema


def _types(schema: Schema, document: Schema) -> set[str]:
    schema = _resolved(schema, document)
    if "anyOf" in schema:
        return set().union(*(_types(option, document) for option in schema["anyOf"])) - {"null"}
    kind = schema.get("type")
    if kind == "number":
        return {"number", "integer"}
    return {kind} if kind else set()

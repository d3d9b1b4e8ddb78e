"""A chart's values.schema.json: what all charts take, and the settings that its service declares.

With it Helm refuses ``--set config.FEED_PAGE_SIZE=5000`` before anything is installed.
"""

from __future__ import annotations

import json
from typing import Any

from chart_tools import CHARTS, CONSOLE, settings_of

from castor_chassis import ServiceSettings
from castor_devstack.stack.services import SERVICES, Service

# The chart decides these itself.
DECIDED = {"api_host", "api_port", "management_host", "management_port", "tls_cert_file", "tls_key_file", "tls_ca_file"}
# Not secret by type, but nothing for a ConfigMap.
DELICATE = {"database_url", "redis_url", "limits_redis_url", "bootstrap_admin_email"}
_KEPT = {
    "type",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "pattern",
    "enum",
    "default",
}
_KEPT |= {"description", "additionalProperties"}


def chart_schema(common: dict[str, Any], settings: type[ServiceSettings]) -> dict[str, Any]:
    """Return the schema of the chart of one service."""
    properties = json.loads(json.dumps(common["properties"]))
    properties["common"] = {"type": "object", "description": "The library's defaults; Helm puts them here."}
    properties["config"] |= {"additionalProperties": False, "properties": config_properties(settings)}
    secret = {"enum": sorted(name.upper() for name in secret_fields(settings))}
    for part in ("required", "optional"):
        properties["secrets"]["properties"][part]["items"] = secret
    properties["global"]["properties"]["castor"] |= everywhere(common)
    title = f"Values of the chart {settings.service_name}"
    return common | {"title": title, "properties": dict(sorted(properties.items()))}


def everywhere(common: dict[str, Any]) -> dict[str, Any]:
    """Return what ``global.castor`` takes: the values of all charts, and the settings that every service has."""
    properties = {name: part for name, part in common["properties"].items() if name not in ("global", "config")}
    shared = {"type": "object", "additionalProperties": False, "properties": config_properties(ServiceSettings)}
    return {"additionalProperties": False, "properties": dict(sorted({**properties, "config": shared}.items()))}


def config_properties(settings: type[ServiceSettings]) -> dict[str, Any]:
    """Return a JSON schema per setting that is no secret and not decided by the chart, by its environment variable."""
    schema = settings.model_json_schema()
    hidden = DECIDED | secret_fields(settings) | peer_fields(settings)
    shown = {name: part for name, part in schema["properties"].items() if name not in hidden}
    return {name.upper(): _plain(part, schema.get("$defs", {})) for name, part in sorted(shown.items())}


def secret_fields(settings: type[ServiceSettings]) -> set[str]:
    """Return the settings that belong into a Secret."""
    properties = settings.model_json_schema()["properties"]
    return {name for name in properties if name in DELICATE or "password" in json.dumps(_formats(properties[name]))}


def peer_fields(settings: type[ServiceSettings]) -> set[str]:
    """Return the settings that say where a peer is; the chart fills them in from ``peers``."""
    peers = {"auth", "sentiment", "openai", "twitter", "trending", "rag", "forecast"}
    return {name for name in settings.model_fields if name.removesuffix("_url") in peers and name.endswith("_url")}


def written(service: Service) -> str:
    """Return what values.schema.json of a service's chart should hold."""
    common = json.loads((CHARTS / "common" / "values.schema.json").read_text())
    return text(chart_schema(common, settings_of(service)))


def umbrella() -> str:
    """Return what values.schema.json of the umbrella should hold; the services' own check what is under their names."""
    common = json.loads((CHARTS / "common" / "values.schema.json").read_text())
    shared = common["properties"]["global"]
    shared["properties"]["castor"] |= everywhere(common)
    charts = [*(service.name for service in SERVICES), CONSOLE.name, "observability", "gateway"]
    switches = {"type": "object", "additionalProperties": False, "properties": {n: {"type": "boolean"} for n in charts}}
    properties = {"global": shared, "services": switches, **{name: {"type": "object"} for name in charts}}
    title = {"$schema": common["$schema"], "title": "Values of the chart castor", "type": "object"}
    return text(title | {"additionalProperties": False, "properties": properties})


def update() -> None:
    """Write values.schema.json of every chart."""
    (CHARTS / "castor" / "values.schema.json").write_text(umbrella())
    for service in (*SERVICES, CONSOLE):
        (CHARTS / service.name / "values.schema.json").write_text(written(service))


def text(schema: dict[str, Any]) -> str:
    """Return a schema as it is committed: one line per value, so that a difference is read at a glance."""
    return _lines(schema, "") + "\n"


def _lines(part: Any, indent: str) -> str:
    flat = json.dumps(part, ensure_ascii=False)
    if not isinstance(part, dict) or len(indent + flat) < 160:
        return flat
    inner = indent + "  "
    entries = [f"{inner}{json.dumps(name)}: {_lines(value, inner)}" for name, value in part.items()]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def _formats(part: dict[str, Any]) -> list[str]:
    return [choice.get("format", "") for choice in [part, *part.get("anyOf", [])]]


def _plain(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Resolve references and drop null: an unset value is left out of ``config``."""
    merged = dict(part)
    for choice in [choice for choice in part.get("anyOf", []) if choice.get("type") != "null"]:
        merged |= choice
    if "$ref" in part:
        merged = definitions[part["$ref"].rsplit("/", 1)[1]] | merged
    kept = {name: value for name, value in merged.items() if name in _KEPT and value is not None}
    # prefixItems came after the draft that Helm's own documentation speaks of.
    if isinstance(kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = {"type": "array"}
    if kept.get("type") == "number":
        # `--set` makes text of a fraction; the service reads it as the number that it is.
        kept |= {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    return kept

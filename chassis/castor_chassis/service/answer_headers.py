"""Headers that follow from an answer as a whole: ``ETag`` of what is read, ``Location`` of what was created."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope


def is_whole_json(start: Message) -> bool:
    """Return whether an answer is JSON of known length that may be kept, and so comes in one piece; streams do not."""
    headers = MutableHeaders(raw=start["headers"])
    is_json = headers.get("content-type", "").startswith("application/json")
    return is_json and "content-length" in headers and "no-store" not in headers.get("cache-control", "")


def tag(start: Message, body: bytes, if_none_match: str) -> bytes:
    """Add the ``ETag`` of ``body``; return the body, or nothing where the caller has it already (RFC 9110, 13.1.2).

    The tag is weak, because the ingress may compress the body.
    """
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = MutableHeaders(raw=start["headers"])
    headers["etag"] = f"W/{etag}"
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    if etag not in known and "*" not in known:
        return body
    start["status"] = 304
    for name in ("content-length", "content-type"):
        del headers[name]
    return b""


def compress(start: Message, body: bytes, accepted: str, min_bytes: int) -> bytes:
    """Return ``body`` packed with gzip and say so, where the caller accepts that and it is worth it (RFC 9110, 12.5.3).

    ``min_bytes``: a shorter body stays as it is; 0: every body does.
    """
    headers = MutableHeaders(raw=start["headers"])
    if not min_bytes or len(body) < min_bytes or "content-encoding" in headers:
        return body
    headers.add_vary_header("Accept-Encoding")
    if not _accepts_gzip(accepted):
        return body
    packed = gzip.compress(body, compresslevel=5, mtime=0)
    headers["content-encoding"], headers["content-length"] = "gzip", str(len(packed))
    return packed


def _accepts_gzip(accepted: str) -> bool:
    weights = {}
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        weights[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return weights.get("gzip", weights.get("*", False))


def locate(start: Message, body: bytes, scope: Scope) -> None:
    """Add the ``Location`` of what a 201 created, where the service has a route for one of its kind by its id."""
    template = getattr(scope.get("route"), "path", "")
    paths = [getattr(route, "path", "") for route in scope["app"].state.chassis.routes]
    if not any(path.startswith(f"{template}/{{") and path.count("/") == template.count("/") + 1 for path in paths):
        return
    if (created := _id_of(json.loads(body).get("data"))) is not None:
        MutableHeaders(raw=start["headers"])["location"] = f"{scope['path']}/{created}"


def _id_of(data: Any) -> str | None:
    """Return the id of what was created: of the data itself, or of its only member that has one, beside a secret."""
    if not isinstance(data, dict):
        return None
    of_members = [member["id"] for member in data.values() if isinstance(member, dict) and "id" in member]
    found = data.get("id", of_members[0] if len(of_members) == 1 else None)
    return found if isinstance(found, str) else None

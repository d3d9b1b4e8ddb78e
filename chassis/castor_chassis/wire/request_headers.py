"""Headers of a request that a route cannot honour are refused rather than overlooked."""

from __future__ import annotations

from typing import Any

from fastapi.params import Form
from starlette.requests import Request

from castor_chassis.wire.errors import IdempotencyUnsupported, UnsupportedMediaType


def check_headers(request: Request) -> None:
    """Raise ``UnsupportedMediaType`` for a body that is not JSON where JSON is read, and ``IdempotencyUnsupported``
    for an ``Idempotency-Key`` that the route does not have: its caller would rely on what nobody does.
    """
    if request.method in ("GET", "HEAD"):
        return
    route: Any = request.scope["route"]
    headers = request.headers
    if "idempotency-key" in headers and not _takes_idempotency_key(route.dependant):
        raise IdempotencyUnsupported
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = given == "application/json" or (given.startswith("application/") and given.endswith("+json"))
    if has_body and not is_json and _reads_json(route):
        raise UnsupportedMediaType(given=given or "none", wanted="application/json")


def _takes_idempotency_key(dependant: Any) -> bool:
    names = {parameter.alias.lower() for parameter in dependant.header_params}
    return "idempotency-key" in names or any(_takes_idempotency_key(each) for each in dependant.dependencies)


def _reads_json(route: Any) -> bool:
    return route.body_field is not None and not isinstance(route.body_field.field_info, Form)

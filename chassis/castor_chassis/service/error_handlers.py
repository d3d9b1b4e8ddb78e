"""Errors on the wire: every failure, FastAPI's and Starlette's own included, in our envelope."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from castor_chassis.context import current_request
from castor_chassis.service.idempotency import Replayed, on_replayed
from castor_chassis.wire.errors import BodyTooSlow, ErrorBody, ServiceError
from castor_chassis.wire.fields import normal_time

_SENTENCES = {
    400: ("malformed_request", "The body could not be read; send JSON in UTF-8."),
    404: ("not_found", "Nothing was found at this path; the contract lists what exists."),
    405: ("method_not_allowed", "This path does not know the method; the Allow header lists those it knows."),
    408: (BodyTooSlow.code, BodyTooSlow.message),
    413: ("body_too_large", "The body is larger than this route accepts; send it in parts."),
    415: ("unsupported_media_type", "The Content-Type is not one that this route reads."),
}
# A text that is checked before its length is to pydantic a value with items.
_LENGTHS = {"too_short": ("least", "min_length"), "too_long": ("most", "max_length")}


def error_response(error: ServiceError, request_id: str) -> JSONResponse:
    """Return ``error`` as an HTTP answer."""
    details = jsonable_encoder(error.details, custom_encoder={datetime: normal_time}) or None
    answer = _answer(error.status, error.code, str(error), details, request_id=request_id)
    answer.headers.update(error.headers())
    return answer


def install_error_handlers(app: FastAPI) -> None:
    """Make ``app`` answer every failure in our envelope."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Replayed, on_replayed)


def _answer(
    status: int, code: str, sentence: str, details: dict[str, Any] | None = None, *, request_id: str | None = None
) -> JSONResponse:
    body = ErrorBody(error=sentence, code=code, details=details, request_id=request_id or _request_id())
    return JSONResponse(body.model_dump(mode="json"), status)


def _request_id() -> str:
    info = current_request()
    return info.request_id if info else "none"


async def _on_service_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    info = current_request()
    if error.is_guess and info is not None:
        request.app.state.chassis.authenticator.failures.count(info.address)
    return error_response(error, _request_id())


async def _on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return _answer(400, "malformed_request", "The body is not valid JSON; check it with a JSON parser.")
    fields = [_field(problem) for problem in problems]
    first = fields[0]
    sentence = f"{first['field']}: {first['problem']}; details.fields lists every problem."
    return _answer(422, "validation_error", sentence, {"fields": fields})


def _field(problem: dict[str, Any]) -> dict[str, str]:
    name = ".".join(str(part) for part in problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in _LENGTHS and isinstance(problem["input"], str):
        bound, limit = _LENGTHS[problem["type"]]
        text = f"must have at {bound} {problem['ctx'][limit]} characters"
    return {"field": name.encode("utf-8", "replace").decode(), "problem": text.encode("utf-8", "replace").decode()}


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, sentence = _SENTENCES.get(error.status_code, ("error", str(error.detail)))
    answer = _answer(error.status_code, code, sentence)
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(_allowed_methods(request))
    elif error.headers:
        answer.headers.update(error.headers)
    return answer


def _allowed_methods(request: Request) -> list[str]:
    # Starlette names only the methods of the first route whose path matches.
    methods: set[str] = set()
    for route in request.app.state.chassis.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)

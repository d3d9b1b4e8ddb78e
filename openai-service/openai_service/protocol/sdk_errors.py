"""Failures of the bare OpenAI routes: our envelope, whose ``error`` is the object that OpenAI's clients read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from castor_chassis import ErrorBody, ServiceError, current_request, errors_of
from castor_chassis.wire.errors import common_responses

Handler = Callable[[Request, Exception], Awaitable[Response]]
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


class SdkError(BaseModel):
    """OpenAI's error object."""

    message: str = Field(description="One sentence: what was wrong and what to do.")
    type: str
    code: str
    param: str | None = Field(None, description="The field that was wrong.")


class SdkErrorBody(BaseModel):
    """A failure as OpenAI's clients read it, with all that our envelope says."""

    ok: Literal[False] = False
    error: SdkError
    code: str = Field(description="Stable machine-readable name of the failure.")
    details: dict[str, Any] | None = None
    request_id: str


def sdk_errors_of(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a bare route: those that every route has, and ``errors``.

    Requests that are refused before routing (overload, an expired certificate, the deadline) are answered with the
    plain envelope, so both shapes are listed.
    """
    found = {**common_responses(), **errors_of(*errors)}
    return {status: {**response, "model": SdkErrorBody | ErrorBody} for status, response in found.items()}


def use_sdk_errors(app: FastAPI, paths: Collection[str]) -> None:
    """Make ``app`` answer failures on ``paths`` in the shape of ``SdkErrorBody``."""
    for kind in (ServiceError, RequestValidationError, HTTPException):
        app.exception_handlers[kind] = _reshaping(cast(Handler, app.exception_handlers[kind]), paths)


def _reshaping(handler: Handler, paths: Collection[str]) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        if request.scope["path"] not in paths:
            return answer
        body = _reshaped(ErrorBody.model_validate_json(bytes(answer.body)), answer.status_code)
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return JSONResponse(body.model_dump(mode="json"), answer.status_code, kept)

    return handle


def _reshaped(body: ErrorBody, status: int) -> SdkErrorBody:
    fields = (body.details or {}).get("fields") or [{}]
    param = str(fields[0].get("field", "")).removeprefix("body.") or None
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = SdkError(message=body.error, type=kind, code=body.code, param=param)
    return SdkErrorBody(error=error, code=body.code, details=body.details, request_id=body.request_id)


def render_error(error: ServiceError) -> bytes:
    """Return ``error`` as the JSON of a stream's last event."""
    info = current_request()
    body = ErrorBody(
        error=str(error), code=error.code, details=error.details, request_id=info.request_id if info else "none"
    )
    return orjson.dumps(_reshaped(body, error.status).model_dump(mode="json"))

"""Polls in the body of a request, as JSON or as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.polls import PollIn, PollsRequest
from forecast_service.errors import PollsMediaType, UnusablePolls, UploadBroken
from forecast_service.polls.model import Poll
from forecast_service.polls.table import polls_of

CSV_TYPES = ("text/csv", "application/csv", "application/vnd.ms-excel", "text/plain")


async def _posted_polls(request: Request, r: R, _: CanRead) -> list[Poll]:
    """Return the polls of a caller who may post them: the permission comes before the body is read."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        content = await request.body()
    except ClientDisconnect as error:
        raise UploadBroken from error
    if media_type not in (*CSV_TYPES, "application/json"):
        raise PollsMediaType(content_type=media_type[:100] or "nothing")
    read = polls_of if media_type in CSV_TYPES else _polls_of_json
    polls: list[Poll] = await r.in_thread(read, content)
    return polls


def _polls_of_json(content: bytes) -> list[Poll]:
    try:
        body = PollsRequest.model_validate_json(content)
    except ValidationError as error:
        problems = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(problems) from error
    return [one.record() for one in body.polls]


PostedPolls = Annotated[list[Poll], Depends(_posted_polls)]
POLL_ERRORS = (UnusablePolls, PollsMediaType, UploadBroken)


def _schema() -> dict[str, Any]:
    """Return the schema of the JSON body with its parts inlined: the route reads it itself, so FastAPI lists none."""
    whole = PollsRequest.model_json_schema()
    del whole["$defs"]
    whole["properties"]["polls"]["items"] = PollIn.model_json_schema()
    return whole


_EXAMPLE = "pollster,until,sample_size,Ana Ruiz,Luis Mora\nInvamer,2026-05-12,1300,38.5,22.1\n"
POLLS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON, or CSV with a row a poll and a column a candidate: pollster, until (2022-05-20), "
        "sample_size, optionally since; an empty cell or NA is not asked. Also under Spanish names.",
        "content": {
            "application/json": {"schema": _schema()},
            "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE},
        },
    }
}

"""HTTP of openai-service. The OpenAI routes answer bare, as its SDK expects; failures keep our envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from castor_chassis import Chassis, Page, Principal, Timestamp, errors_of, page, require
from openai_service.embeddings import rendered
from openai_service.errors import (
    LanguageModelNeeded,
    NoUpstream,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    WrongDimensions,
    WrongModel,
)
from openai_service.gateway import Gateway
from openai_service.reports import UsageReports
from openai_service.routes_tasks import TaskDesk
from openai_service.schemas import (
    ChatCompletion,
    ChatRequest,
    EmbeddingList,
    EmbeddingRequest,
    ModelList,
    UsageOfDay,
)
from openai_service.streaming import EventStream, while_connected

PREFIX = "/v1/openai"
CHAT_PATH = f"{PREFIX}/chat/completions"
router = APIRouter(prefix=PREFIX, tags=["openai"])


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    chassis: Chassis
    gateway: Gateway
    reports: UsageReports
    desk: TaskDesk


def resources(request: Request) -> Resources:
    """Return what ``start`` made."""
    found: Resources = request.app.state.resources
    return found


R = Annotated[Resources, Depends(resources)]
Caller = Annotated[Principal, Depends(require("llm:use"))]
_UPSTREAM = (NoUpstream, UpstreamUnavailable, UpstreamTimeout, UpstreamRefused, WrongModel)
_DEGRADED = {"X-Castor-Degraded": {"description": "What the answer was made without.", "schema": {"type": "string"}}}
_CHAT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with 'stream' as server-sent events that end with [DONE].",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "headers": _DEGRADED,
    }
}
_EMBEDDINGS: dict[int | str, dict[str, Any]] = {200: {"description": "The vectors.", "headers": _DEGRADED}}


@router.post(
    "/chat/completions",
    response_model=ChatCompletion,
    response_model_exclude_unset=True,
    responses={**_CHAT, **errors_of(*_UPSTREAM, LanguageModelNeeded)},
)
async def create_chat_completion(
    body: ChatRequest, request: Request, response: Response, r: R, _: Caller
) -> ChatCompletion | EventStream:
    """Answer a conversation, by the upstream or, without one, by quoting the documents in it."""
    if body.stream:
        stream = await while_connected(request, r.gateway.stream(body))
        return EventStream(stream, _degraded(stream.degraded))
    completion = await while_connected(request, r.gateway.complete(body))
    response.headers.update(_degraded(completion.degraded))
    return completion


@router.post(
    "/embeddings",
    response_model=EmbeddingList,
    responses={**_EMBEDDINGS, **errors_of(*_UPSTREAM, WrongDimensions)},
)
async def create_embeddings(body: EmbeddingRequest, request: Request, r: R, _: Caller) -> Response:
    """Return one unit vector per text, in the order of the input."""
    made = await while_connected(request, r.gateway.embed(body))
    content = await r.chassis.in_thread(rendered, made.vectors, body.encoding_format, made.degraded)
    return Response(content, media_type="application/json", headers=_degraded(made.degraded))


@router.get("/models")
async def list_models(r: R, _: Caller) -> ModelList:
    """Return the models that requests may name; an upstream may know more."""
    return r.gateway.models()


@router.get("/usage")
async def report_usage(
    r: R,
    _: Caller,
    since: Annotated[Timestamp | None, Query(description="First moment; by default 30 days before 'until'.")] = None,
    until: Annotated[Timestamp | None, Query(description="First moment after the range; by default now.")] = None,
) -> Page[UsageOfDay]:
    """Return calls, tokens and cost per day (UTC), operation, provider and model; in our envelope."""
    report = await r.reports.usage(since, until)
    return page(report.days, since=report.since, until=report.until, cost_usd=report.cost_usd)


def _degraded(parts: list[str] | None) -> dict[str, str]:
    return {"X-Castor-Degraded": ", ".join(parts)} if parts else {}

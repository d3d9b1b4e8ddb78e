"""HTTP of openai-service. The OpenAI routes answer bare, as its SDK expects; failures keep our envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from castor_chassis import Chassis, Ok, Page, Principal, Timestamp, ok, page, provided, require
from openai_service.api.streaming import answered, headers_of, is_fresh, while_connected
from openai_service.api.tasks import TaskDesk
from openai_service.billing.budget import Budget
from openai_service.billing.payer import current_payer, note_user
from openai_service.billing.usage_reports import UsageReports
from openai_service.chat.service import Gateway
from openai_service.embeddings.vector_cache import rendered
from openai_service.errors import (
    BudgetHeld,
    BudgetSpent,
    EncoderBusy,
    EncoderNotLoaded,
    LanguageModelNeeded,
    NoUpstream,
    PriceUnknown,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    WrongDimensions,
    WrongModel,
    WrongVectors,
)
from openai_service.protocol.chat import (
    BudgetReport,
    ChatCompletion,
    ChatRequest,
    EmbeddingList,
    EmbeddingRequest,
    ErasedPrompts,
    ModelList,
    UsageOfDay,
)
from openai_service.protocol.sdk_errors import sdk_errors_of

PREFIX = "/v1/openai"
CHAT_PATH = f"{PREFIX}/chat/completions"
BARE_PATHS = frozenset({CHAT_PATH, f"{PREFIX}/embeddings", f"{PREFIX}/models"})
router = APIRouter(prefix=PREFIX, tags=["openai"], dependencies=[Depends(note_user)])


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    chassis: Chassis
    gateway: Gateway
    reports: UsageReports
    desk: TaskDesk
    budget: Budget
    heartbeat_seconds: float


R = Annotated[Resources, provided(Resources)]
Caller = Annotated[Principal, Depends(require("llm:use"))]
_UPSTREAM = (NoUpstream, UpstreamUnavailable, UpstreamTimeout, UpstreamRefused, WrongModel)
_MONEY = (BudgetSpent, BudgetHeld, PriceUnknown)
_TEXT = {"schema": {"type": "string"}}
_DEGRADED = {"X-Castor-Degraded": {"description": "What the answer was made without.", **_TEXT}}
_CACHE = {"X-Castor-Cache": {"description": "'hit' or 'shared' when no model was asked for this answer.", **_TEXT}}
# In OpenAPI before 3.2 the schema of a stream is that of each of its events.
_EVENT = {
    "type": "object",
    "description": "An event whose data is a chunk as JSON, or [DONE].",
    "properties": {"data": {"type": "string"}},
    "required": ["data"],
}
_CHAT: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ChatCompletion,
        "description": "The answer; with 'stream' as server-sent events that end with [DONE].",
        "content": {"text/event-stream": {"schema": _EVENT}},
        "headers": {**_DEGRADED, **_CACHE},
    }
}
_EMBEDDINGS: dict[int | str, dict[str, Any]] = {
    200: {"model": EmbeddingList, "description": "The vectors.", "headers": _DEGRADED}
}


@router.post(
    "/chat/completions",
    response_model=None,
    responses={**_CHAT, **sdk_errors_of(*_UPSTREAM, *_MONEY, LanguageModelNeeded)},
)
async def create_chat_completion(body: ChatRequest, request: Request, r: R, _: Caller) -> Response:
    """Answer a conversation, by an upstream or, without one, by quoting the documents in it.

    With the header `Cache-Control: no-cache` a model is asked, whatever was answered before.
    """
    return await answered(
        request,
        r.gateway.answer(body, fresh=is_fresh(request.headers.get("cache-control"))),
        r.heartbeat_seconds,
        stream=body.stream,
    )


@router.post(
    "/embeddings",
    response_model=None,
    responses={
        **_EMBEDDINGS,
        **sdk_errors_of(*_UPSTREAM, *_MONEY, WrongDimensions, WrongVectors, EncoderNotLoaded, EncoderBusy),
    },
)
async def create_embeddings(body: EmbeddingRequest, request: Request, r: R, _: Caller) -> Response:
    """Return one unit vector per text, in the order of the input."""
    made = await while_connected(request, r.gateway.embed(body))
    content = await r.chassis.in_thread(rendered, made.vectors, body.encoding_format, made.degraded)
    return Response(content, media_type="application/json", headers=headers_of(made.degraded, None))


@router.get("/models", responses=sdk_errors_of())
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


@router.get("/budgets")
async def report_budgets(r: R, _: Caller) -> Ok[BudgetReport]:
    """Return the limits that the caller's calls count against this month (UTC), what is spent and what is held."""
    return ok(await r.reports.budgets(r.budget.limits, current_payer()))


@router.delete("/prompts")
async def erase_prompts(r: R, _: Caller) -> Ok[ErasedPrompts]:
    """Erase the texts that the ledger keeps of the caller's requests up to now; asking twice erases nothing more."""
    return ok(await r.reports.erase_prompts(current_payer()))

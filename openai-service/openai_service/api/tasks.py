"""The tasks, in our envelope: a typed output, the prompt's version, and what it was made without."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from castor_chassis import Ok, errors_of, ok
from openai_service.api.dependencies import BUDGET_ERRORS, PREFIX, UPSTREAM_ERRORS, note_payer
from openai_service.api.resources import Caller, R
from openai_service.api.streaming import while_connected
from openai_service.errors import OutputRefused
from openai_service.protocol.models import DEFAULT, ModelName
from openai_service.tasks.definitions import spoken_minutes
from openai_service.tasks.runner import TaskResult, W
from openai_service.tasks.schemas import (
    AdviceRequest,
    AnswerRequest,
    PlanDraft,
    PlanRequest,
    ReviewedAdvice,
    SourcedAnswer,
    SpeechDraft,
    SpeechRequest,
    Summary,
    SummaryRequest,
    Topics,
    TopicsRequest,
)

TASK_PATHS = tuple(f"{PREFIX}/{name}" for name in ("summaries", "topics", "plans", "speeches", "advice", "answers"))
router = APIRouter(prefix=PREFIX, tags=["tasks"], dependencies=[Depends(note_payer)])
Model = Annotated[ModelName, Query(description="'default', 'extractive', or a model of the upstream.")]
_FAILURES = errors_of(OutputRefused, *UPSTREAM_ERRORS, *BUDGET_ERRORS)


@router.post("/summaries", responses=_FAILURES)
async def create_summary(
    body: SummaryRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT
) -> Ok[Summary]:
    """Sum documents up: for a campaign (executive), a newsroom (media), or anybody (neutral)."""
    result = await while_connected(request, r.tasks.summary(body, model))
    return ok(result.output, **_meta(result))


@router.post("/topics", responses=_FAILURES)
async def create_topics(body: TopicsRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT) -> Ok[Topics]:
    """Classify documents by the ten PND axes or the given labels, one item a document."""
    result = await while_connected(request, r.tasks.topics(body, model))
    return ok(result.output, **_meta(result))


@router.post("/plans", responses=_FAILURES)
async def create_plan(body: PlanRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT) -> Ok[PlanDraft]:
    """Draft a plan that answers to the documents; a person must approve it."""
    result = await while_connected(request, r.tasks.plan(body, model))
    return ok(PlanDraft(**result.output.model_dump()), **_meta(result))


@router.post("/speeches", responses=_FAILURES)
async def create_speech(
    body: SpeechRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT
) -> Ok[SpeechDraft]:
    """Draft a speech; a person must approve it."""
    result = await while_connected(request, r.tasks.speech(body, model))
    draft = SpeechDraft(**result.output.model_dump(), duration_minutes=spoken_minutes(result.output.content))
    return ok(draft, **_meta(result))


@router.post("/advice", responses=_FAILURES)
async def create_advice(
    body: AdviceRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT
) -> Ok[ReviewedAdvice]:
    """Advise on how to react, with drafts that always need a person's approval and say their risk."""
    result = await while_connected(request, r.tasks.advice(body, model))
    return ok(ReviewedAdvice(**result.output.model_dump()), **_meta(result))


@router.post("/answers", responses=_FAILURES)
async def create_answer(
    body: AnswerRequest, request: Request, r: R, _: Caller, model: Model = DEFAULT
) -> Ok[SourcedAnswer]:
    """Answer a question from the documents alone, with the words it rests on."""
    result = await while_connected(request, r.tasks.answer(body, model))
    return ok(result.output, **_meta(result))


def _meta(result: TaskResult[W]) -> dict[str, Any]:
    """Return the envelope's ``meta``: how the output was made, and which documents no model has seen."""
    meta: dict[str, Any] = {"prompt": result.prompt, "model": result.model, "repaired": result.repaired}
    if result.degraded:
        meta["degraded"] = ["llm"]
    unseen = {"withheld": list(result.documents.withheld), "left_out": list(result.documents.left_out)}
    return {**meta, **{name: ids for name, ids in unseen.items() if ids}}

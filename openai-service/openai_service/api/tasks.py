"""HTTP of the tasks, in our envelope: a typed answer, the prompt's version, and what it was made without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from castor_chassis import Ok, Principal, errors_of, ok, require
from openai_service.api.streaming import while_connected
from openai_service.billing.payer import note_user
from openai_service.errors import (
    BudgetHeld,
    BudgetSpent,
    NoUpstream,
    OutputRefused,
    PriceUnknown,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    WrongModel,
)
from openai_service.metrics import WITHHELD
from openai_service.protocol.chat import DEFAULT, ModelName
from openai_service.tasks.definitions import WORDS_PER_MINUTE, Jobs
from openai_service.tasks.runner import Done, Job, Material, Tasks, material
from openai_service.tasks.schemas import (
    AdviceRequest,
    AnswerRequest,
    PlanDraft,
    PlanRequest,
    ReviewedAdvice,
    SourcedAnswer,
    SourceDocument,
    SpeechDraft,
    SpeechRequest,
    Summary,
    SummaryRequest,
    Topics,
    TopicsRequest,
)

PREFIX = "/v1/openai"
TASK_PATHS = tuple(f"{PREFIX}/{name}" for name in ("summaries", "topics", "plans", "speeches", "advice", "answers"))
router = APIRouter(prefix=PREFIX, tags=["tasks"], dependencies=[Depends(note_user)])
W = TypeVar("W", bound=BaseModel)


@dataclass(frozen=True)
class TaskDesk:
    """What the task routes use: who prepares documents, who makes jobs, who does them."""

    jobs: Jobs
    tasks: Tasks
    in_thread: Callable[..., Awaitable[Any]]

    async def prepare(self, documents: list[SourceDocument]) -> Material:
        """Return the documents as a prompt may show them."""
        given: Material = await self.in_thread(material, documents)
        WITHHELD.inc(len(given.withheld))
        return given


async def desk(request: Request) -> TaskDesk:
    """Return what ``start`` made."""
    found: TaskDesk = request.app.state.resources.desk
    return found


D = Annotated[TaskDesk, Depends(desk)]
Caller = Annotated[Principal, Depends(require("llm:use"))]
Model = Annotated[ModelName, Query(description="'default', 'extractive', or a model of the upstream.")]
_UPSTREAM = (NoUpstream, UpstreamUnavailable, UpstreamTimeout, UpstreamRefused, WrongModel)
_FAILURES = errors_of(OutputRefused, *_UPSTREAM, BudgetSpent, BudgetHeld, PriceUnknown)


@router.post("/summaries", responses=_FAILURES)
async def create_summary(
    body: SummaryRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT
) -> Ok[Summary]:
    """Sum documents up: for a campaign (executive), a newsroom (media), or anybody (neutral)."""
    job = d.jobs.summary(body, await d.prepare(body.documents))
    done = await while_connected(request, d.tasks.do(job, model))
    return ok(done.written, **_meta(job, done))


@router.post("/topics", responses=_FAILURES)
async def create_topics(body: TopicsRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT) -> Ok[Topics]:
    """Classify documents by the ten PND axes or the given labels, one item a document."""
    given = await d.prepare(body.documents)
    job = d.jobs.topics(body, given)
    done = await while_connected(request, d.tasks.do(job, model))
    rest = await d.in_thread(d.jobs.topics_without_model, body, given.hidden)
    written = Topics(items=[*done.written.items, *rest.items])
    return ok(given.in_order(written), **_meta(job, done))


@router.post("/plans", responses=_FAILURES)
async def create_plan(body: PlanRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT) -> Ok[PlanDraft]:
    """Draft a plan that answers to the documents; a person must approve it."""
    job = d.jobs.plan(body, await d.prepare(body.documents))
    done = await while_connected(request, d.tasks.do(job, model))
    return ok(PlanDraft(**done.written.model_dump()), **_meta(job, done))


@router.post("/speeches", responses=_FAILURES)
async def create_speech(
    body: SpeechRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT
) -> Ok[SpeechDraft]:
    """Draft a speech; a person must approve it."""
    job = d.jobs.speech(body, await d.prepare(body.documents))
    done = await while_connected(request, d.tasks.do(job, model))
    minutes = round(len(done.written.content.split()) / WORDS_PER_MINUTE, 1)
    return ok(SpeechDraft(**done.written.model_dump(), duration_minutes=minutes), **_meta(job, done))


@router.post("/advice", responses=_FAILURES)
async def create_advice(
    body: AdviceRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT
) -> Ok[ReviewedAdvice]:
    """Advise on how to react, with drafts that always need a person's approval and say their risk."""
    job = d.jobs.advice(body, await d.prepare(body.documents))
    done = await while_connected(request, d.tasks.do(job, model))
    return ok(ReviewedAdvice(**done.written.model_dump()), **_meta(job, done))


@router.post("/answers", responses=_FAILURES)
async def create_answer(
    body: AnswerRequest, request: Request, d: D, _: Caller, model: Model = DEFAULT
) -> Ok[SourcedAnswer]:
    """Answer a question from the documents alone, with the words it rests on."""
    job = d.jobs.answer(body, await d.prepare(body.documents))
    done = await while_connected(request, d.tasks.do(job, model))
    return ok(done.written, **_meta(job, done))


def _meta(job: Job[W], done: Done[W]) -> dict[str, Any]:
    said: dict[str, Any] = {"prompt": done.prompt, "model": done.model, "repaired": done.repaired}
    if done.degraded:
        said["degraded"] = ["llm"]
    given = job.material
    hidden = {"withheld": list(given.withheld), "left_out": list(given.left_out)}
    return {**said, **{name: ids for name, ids in hidden.items() if ids}}

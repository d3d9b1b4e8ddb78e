"""HTTP of sentiment-service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from castor_chassis import Ok, Principal, errors_of, ok, require
from sentiment_service.api.schemas import Analysis, AnalyzeRequest, BatchAnalysis, BatchRequest, ModelDescription
from sentiment_service.errors import ModelUnavailable, QueueFull
from sentiment_service.inference.service import Analyst
from sentiment_service.targets.service import TargetAnalyst

router = APIRouter(prefix="/v1/sentiment", tags=["sentiment"])


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    analyst: Analyst
    target_analyst: TargetAnalyst


async def resources(request: Request) -> Resources:
    """Return what ``start`` made."""
    found: Resources = request.app.state.resources
    return found


R = Annotated[Resources, Depends(resources)]
Caller = Annotated[Principal, Depends(require("sentiment:analyze"))]
SCORING = errors_of(ModelUnavailable, QueueFull)
# Requests whose every text needs the model; for targets the rules may suffice.
ADMITTED = ("/v1/sentiment/analyze", "/v1/sentiment/batch")


@router.post("/analyze", responses=SCORING, response_model_exclude_none=True)
async def analyze(body: AnalyzeRequest, r: R, _: Caller) -> Ok[Analysis]:
    """Return the sentiment of each text, and how many got which label."""
    judgements = await r.analyst.judge(body.texts, body.lang)
    return ok(Analysis.of(body.texts, judgements, r.analyst.model.card))


@router.post("/batch", responses=SCORING, response_model_exclude_none=True)
async def analyze_batch(body: BatchRequest, r: R, _: Caller) -> Ok[BatchAnalysis]:
    """Return the sentiment of each item under its id."""
    judgements = await r.analyst.judge([item.text for item in body.items], body.lang)
    return ok(BatchAnalysis.of(body.items, judgements, r.analyst.model.card))


@router.get("/model", responses=errors_of(ModelUnavailable))
async def describe_model(r: R, _: Caller) -> Ok[ModelDescription]:
    """Return which model answers, what it knows, and how well it did on texts that it never saw."""
    return ok(ModelDescription.of(r.analyst.model.card))

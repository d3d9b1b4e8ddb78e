"""HTTP of the sentiment of texts."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from sentiment_service.api.resources import SCORING, Caller, R
from sentiment_service.api.schemas.texts import Analysis, AnalyzeRequest, BatchAnalysis, BatchRequest

router = APIRouter(prefix="/v1/sentiment", tags=["sentiment"])
# Requests whose every text needs the model; for targets the rules may suffice, which read a long request in turns.
ADMITTED = ("/v1/sentiment/analyze", "/v1/sentiment/batch")


@router.post("/analyze", responses=SCORING, response_model_exclude_none=True)
async def analyze_text(body: AnalyzeRequest, r: R, _: Caller) -> Ok[Analysis]:
    """Return the sentiment of each text, and how many got which label."""
    scored = await r.sentiment.score(body.texts, body.lang)
    return ok(Analysis.of(body.texts, scored, r.sentiment.model.card))


@router.post("/batch", responses=SCORING, response_model_exclude_none=True)
async def analyze_batch(body: BatchRequest, r: R, _: Caller) -> Ok[BatchAnalysis]:
    """Return the sentiment of each item under its id."""
    scored = await r.sentiment.score([item.text for item in body.items], body.lang)
    return ok(BatchAnalysis.of(body.items, scored, r.sentiment.model.card))

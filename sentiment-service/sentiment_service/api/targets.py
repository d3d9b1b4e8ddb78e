"""HTTP of sentiment towards targets."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from sentiment_service.api.resources import SCORING, Caller, R
from sentiment_service.api.schemas.targets import TargetsAnalysis, TargetsRequest

router = APIRouter(prefix="/v1/sentiment", tags=["sentiment"])


@router.post("/targets", responses=SCORING, response_model_exclude_none=True)
async def analyze_targets(body: TargetsRequest, r: R, _: Caller) -> Ok[TargetsAnalysis]:
    """Return what each text says for or against each of its targets, which is not the sentiment of the text."""
    found = await r.targets.score([(item.text, item.targets) for item in body.items])
    return ok(TargetsAnalysis.of(body.items, found, r.sentiment.model.card))

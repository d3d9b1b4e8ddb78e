"""HTTP of sentiment towards targets."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from sentiment_service.api.target_schemas import TargetsAnalysis, TargetsRequest
from sentiment_service.api.texts import SCORING, Caller, R

router = APIRouter(prefix="/v1/sentiment", tags=["sentiment"])


@router.post("/targets", responses=SCORING, response_model_exclude_none=True)
async def analyze_targets(body: TargetsRequest, r: R, _: Caller) -> Ok[TargetsAnalysis]:
    """Return what each text says for or against each of its targets, which is not the sentiment of the text."""
    opinions = await r.target_analyst.judge([(item.text, item.targets) for item in body.items])
    return ok(TargetsAnalysis.of(body.items, opinions, r.analyst.model.card))

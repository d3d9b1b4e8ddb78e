"""HTTP of the sentiment model in use."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, errors_of, ok
from sentiment_service.api.resources import Caller, R
from sentiment_service.api.schemas.model import ModelDescription
from sentiment_service.errors import ModelUnavailable

router = APIRouter(prefix="/v1/sentiment", tags=["sentiment"])


@router.get("/model", responses=errors_of(ModelUnavailable))
async def describe_model(r: R, _: Caller) -> Ok[ModelDescription]:
    """Return which model answers, what it knows, and how well it did on texts that it never saw."""
    return ok(ModelDescription.describing(r.sentiment.model.classifier))

"""``/models``, answered bare as OpenAI's SDK expects."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from openai_service.api.dependencies import PREFIX, note_payer
from openai_service.api.resources import Caller, R
from openai_service.protocol.models import ModelList
from openai_service.protocol.sdk_errors import sdk_errors_of

MODELS_PATH = f"{PREFIX}/models"
router = APIRouter(prefix=PREFIX, tags=["openai"], dependencies=[Depends(note_payer)])


@router.get("/models", responses=sdk_errors_of())
async def list_models(r: R, _: Caller) -> ModelList:
    """Return the models that requests may name; an upstream may know more."""
    return r.models

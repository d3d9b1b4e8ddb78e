"""``/embeddings``, answered bare as OpenAI's SDK expects."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from openai_service.api.dependencies import BUDGET_ERRORS, PREFIX, UPSTREAM_ERRORS, note_payer
from openai_service.api.headers import DEGRADED_HEADER, answer_headers
from openai_service.api.resources import Caller, R
from openai_service.api.streaming import while_connected
from openai_service.errors import (
    EncoderBusy,
    EncoderNotLoaded,
    TextNeeded,
    TextNotEmbedded,
    WrongDimensions,
    WrongVectors,
)
from openai_service.protocol.embeddings import EmbeddingList, EmbeddingRequest
from openai_service.protocol.sdk_errors import sdk_errors_of
from openai_service.protocol.vectors import render_vectors

EMBEDDINGS_PATH = f"{PREFIX}/embeddings"
router = APIRouter(prefix=PREFIX, tags=["openai"], dependencies=[Depends(note_payer)])
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"model": EmbeddingList, "description": "The vectors.", "headers": DEGRADED_HEADER}
}


@router.post(
    "/embeddings",
    response_model=None,
    responses={
        **_ANSWER,
        **sdk_errors_of(
            *UPSTREAM_ERRORS,
            *BUDGET_ERRORS,
            WrongDimensions,
            WrongVectors,
            TextNeeded,
            TextNotEmbedded,
            EncoderNotLoaded,
            EncoderBusy,
        ),
    },
)
async def create_embeddings(body: EmbeddingRequest, request: Request, r: R, _: Caller) -> Response:
    """Return one unit vector per text, in the order of the input."""
    result = await while_connected(request, r.embeddings.embed(body))
    content = await r.in_thread(render_vectors, result.vectors, body.encoding_format, result.degraded)
    return Response(content, media_type="application/json", headers=answer_headers(result.degraded))

"""``/chat/completions``, answered bare as OpenAI's SDK expects."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from openai_service.api.dependencies import BUDGET_ERRORS, PREFIX, UPSTREAM_ERRORS, note_payer
from openai_service.api.headers import ADAPTED_HEADER, CACHE_HEADER, DEGRADED_HEADER, is_fresh
from openai_service.api.resources import Caller, R
from openai_service.api.streaming import respond
from openai_service.errors import LanguageModelNeeded
from openai_service.protocol.chat import ChatCompletion, ChatRequest
from openai_service.protocol.sdk_errors import sdk_errors_of

CHAT_PATH = f"{PREFIX}/chat/completions"
router = APIRouter(prefix=PREFIX, tags=["openai"], dependencies=[Depends(note_payer)])
# In OpenAPI before 3.2 the schema of a stream is that of each of its events.
_EVENT = {
    "type": "object",
    "description": "An event whose data is a chunk as JSON, or [DONE].",
    "properties": {"data": {"type": "string"}},
    "required": ["data"],
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ChatCompletion,
        "description": "The answer; with 'stream' as server-sent events that end with [DONE].",
        "content": {"text/event-stream": {"schema": _EVENT}},
        "headers": {**DEGRADED_HEADER, **CACHE_HEADER, **ADAPTED_HEADER},
    }
}


@router.post(
    "/chat/completions",
    response_model=None,
    responses={**_ANSWER, **sdk_errors_of(*UPSTREAM_ERRORS, *BUDGET_ERRORS, LanguageModelNeeded)},
)
async def create_chat_completion(body: ChatRequest, request: Request, r: R, _: Caller) -> Response:
    """Answer a conversation, by an upstream or, without one, by quoting the documents in it.

    With the header `Cache-Control: no-cache` a model is asked, whatever was answered before.
    """
    answer = r.chat.answer(body, fresh=is_fresh(request.headers.get("cache-control")))
    return await respond(request, answer, stream=body.stream, heartbeat_seconds=r.heartbeat_seconds)

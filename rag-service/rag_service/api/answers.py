"""Route of answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from castor_chassis import Ok, errors_of, ok
from rag_service.api.mappers import answer_of, question_filters_of
from rag_service.api.resources import CanQuery, R, access_of
from rag_service.api.schemas.answers import AnswerOut, QueryIn
from rag_service.api.streams import event_stream
from rag_service.errors import FilterUnknown

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/query", responses=errors_of(FilterUnknown))
async def answer_question(body: QueryIn, r: R, who: CanQuery) -> Ok[AnswerOut]:
    """Answer a question with quotes that stand verbatim in the documents, or say that they do not answer."""
    filters = question_filters_of(body, access_of(who))
    await r.retrieval.check(filters)
    answer = await r.answers.answer(body.question, filters, body.limit)
    return ok(answer_of(answer), as_of=filters.as_of, degraded=answer.degraded or None)


# In OpenAPI before 3.2 the schema of a stream is that of each of its events.
_EVENTS = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
            "required": ["event", "data"],
            "description": "Events: 'searching'; 'part' with a line of the answer; 'answer' with what "
            "POST /v1/rag/query answers, or 'error' with code and sentence. Lines that begin with a colon keep "
            "the connection open.",
        }
    }
}


@router.post(
    "/query/stream",
    response_class=StreamingResponse,
    responses={200: {"content": _EVENTS, "description": "The events."}},
)
async def stream_query(body: QueryIn, r: R, who: CanQuery) -> StreamingResponse:
    """Answer a question as server-sent events."""

    filters = question_filters_of(body, access_of(who))
    await r.retrieval.check(filters)

    async def answered() -> dict[str, Any]:
        whole: dict[str, Any] = (await answer_question(body, r, who)).model_dump(mode="json")
        return whole

    return event_stream(answered())

"""Route of answers."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from rag_service.api.mappers import answer_of, filters_of
from rag_service.api.resources import CanQuery, R, access_of
from rag_service.api.schemas.answers import AnswerOut, QueryIn

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/query")
async def answer_question(body: QueryIn, r: R, who: CanQuery) -> Ok[AnswerOut]:
    """Answer a question with quotes that stand verbatim in the documents, or say that they do not answer."""
    filters = filters_of(body.filters, body.as_of, access_of(who))
    answer = await r.answers.answer(body.question, filters, body.limit)
    return ok(answer_of(answer), as_of=filters.as_of, degraded=answer.degraded or None)

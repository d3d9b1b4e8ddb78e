"""Routes of conversations."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter

from castor_chassis import (
    IdempotencyInFlight,
    Ok,
    Once,
    Order,
    Page,
    Paged,
    SinceQuery,
    Timestamp,
    UntilQuery,
    check_span,
    errors_of,
    ok,
)
from rag_service.answers.model import Answer
from rag_service.api.documents import Limit
from rag_service.api.mappers import answer_of, conversation_of, question_filters_of, turn_of
from rag_service.api.resources import CanQuery, R, access_of
from rag_service.api.schemas.answers import QueryIn
from rag_service.api.schemas.conversations import (
    ConversationErased,
    ConversationIn,
    ConversationOut,
    ConversationTurns,
    TurnOut,
)
from rag_service.errors import ConversationFull, ConversationNotFound, FilterUnknown, TooManyConversations

router = APIRouter(prefix="/v1/rag/conversations", tags=["rag"])
_NEWEST = Order(tuple[Timestamp, uuid.UUID], lambda one: (one.created_at, one.id), newest_first=True)


@router.post("", status_code=201, responses=errors_of(TooManyConversations, IdempotencyInFlight))
async def begin_conversation(body: ConversationIn, r: R, who: CanQuery, _once: Once) -> Ok[ConversationOut]:
    """Begin a conversation that you alone can read; each request without an Idempotency-Key makes a new one."""
    return ok(conversation_of(await r.conversations.begin(access_of(who), body.title)))


@router.get("")
async def list_conversations(
    r: R,
    who: CanQuery,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Limit = 50,
) -> Page[ConversationOut]:
    """Return your conversations by when they began, newest first."""
    check_span(since, until)
    found = await r.conversations.page(access_of(who), cursor.after(_NEWEST), limit + 1, (since, until))
    return cursor.page(found, limit, _NEWEST, conversation_of)


@router.get("/{conversation_id}", responses=errors_of(ConversationNotFound))
async def get_conversation(conversation_id: uuid.UUID, r: R, who: CanQuery) -> Ok[ConversationTurns]:
    """Return a conversation with its questions and answers."""
    conversation, turns = await r.conversations.conversation(access_of(who), conversation_id)
    out = conversation_of(conversation)
    return ok(ConversationTurns(**dict(out), items=[turn_of(turn) for turn in turns]))


@router.post(
    "/{conversation_id}/questions",
    status_code=201,
    responses=errors_of(ConversationNotFound, ConversationFull, FilterUnknown),
)
async def ask_in_conversation(conversation_id: uuid.UUID, body: QueryIn, r: R, who: CanQuery) -> Ok[TurnOut]:
    """Ask; what leans on the question before ("¿Y Fajardo?") is rewritten to stand alone. Each request adds a turn."""
    filters = question_filters_of(body, access_of(who))
    await r.retrieval.check(filters)
    turn, answer = await r.conversations.ask(conversation_id, body.question, filters, body.limit, _kept)
    return ok(turn_of(turn), as_of=filters.as_of, degraded=answer.degraded or None)


@router.delete("/{conversation_id}", responses=errors_of(ConversationNotFound))
async def erase_conversation(conversation_id: uuid.UUID, r: R, who: CanQuery) -> Ok[ConversationErased]:
    """Erase a conversation with everything in it."""
    await r.conversations.erase(access_of(who), conversation_id)
    return ok(ConversationErased(id=str(conversation_id)))


def _kept(answer: Answer) -> dict[str, Any]:
    return answer_of(answer).model_dump(mode="json")

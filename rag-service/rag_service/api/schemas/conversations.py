"""Wire models of conversations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from castor_chassis import Composed, RequestModel, ResponseModel, Timestamp
from rag_service.api.schemas.answers import AnswerOut
from rag_service.api.schemas.fields import NOT_BLANK


class ConversationIn(RequestModel):
    """A conversation to begin."""

    title: Annotated[str, StringConstraints(max_length=200), NOT_BLANK, Composed] = "Conversación"


class ConversationOut(ResponseModel):
    """A conversation without its turns."""

    id: str
    title: str
    turns: int = Field(description="Questions asked in it.")
    created_at: Timestamp
    updated_at: Timestamp


class TurnOut(ResponseModel):
    """A question and its answer."""

    number: int
    question: str
    standalone: str = Field(description="The question as it was answered, understood without those before.")
    answer: AnswerOut
    asked_at: Timestamp


class ConversationTurns(ConversationOut):
    """A conversation with its turns, oldest first."""

    items: list[TurnOut]


class ConversationErased(ResponseModel):
    """What was erased."""

    id: str

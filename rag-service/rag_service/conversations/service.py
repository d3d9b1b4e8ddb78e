"""Conversations: each question is rewritten to stand alone, answered, and kept with its answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from castor_chassis import ANY_TIME, TimeSpan
from rag_service.analyses.service import AnswersWithAnalyses
from rag_service.answers.model import Answer
from rag_service.conversations.follow_up import standalone
from rag_service.conversations.model import Conversation, Turn
from rag_service.conversations.repository import MOST_TURNS, ConversationRepository
from rag_service.documents.model import Access
from rag_service.errors import ConversationFull
from rag_service.retrieval.model import Filters

Wire = Callable[[Answer], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ConversationService:
    """Conversations of one caller, who alone reads them."""

    conversations: ConversationRepository
    answers: AnswersWithAnalyses

    async def begin(self, access: Access, title: str) -> Conversation:
        """Make a conversation; raises ``TooManyConversations``."""
        return await self.conversations.begin(access, title)

    async def page(
        self,
        access: Access,
        before: tuple[datetime, uuid.UUID] | None,
        limit: int,
        begun: TimeSpan = ANY_TIME,
    ) -> Sequence[Conversation]:
        """Return the conversations that began in a span and before a position (created_at, id), newest first."""
        return await self.conversations.page(access, before, limit, begun)

    async def conversation(self, access: Access, name: uuid.UUID) -> tuple[Conversation, list[Turn]]:
        """Return a conversation with its turns; raises ``ConversationNotFound``."""
        return await self.conversations.conversation(access, name)

    async def erase(self, access: Access, name: uuid.UUID) -> None:
        """Remove a conversation; raises ``ConversationNotFound``."""
        await self.conversations.erase(access, name)

    async def ask(
        self, name: uuid.UUID, question: str, filters: Filters, limit: int, kept: Wire
    ) -> tuple[Turn, Answer]:
        """Answer ``question`` in a conversation; keep it and what ``kept`` makes of the answer.

        Raises ``ConversationNotFound`` and ``ConversationFull``, the latter before anything is answered.
        """
        conversation, turns = await self.conversations.conversation(filters.access, name)
        if conversation.turns >= MOST_TURNS:
            raise ConversationFull(limit=MOST_TURNS)
        alone = standalone(question, turns[-1].standalone if turns else None)
        answer = await self.answers.answer(alone, filters, limit)
        read = [passage.document for passage in answer.passages]
        turn = await self.conversations.add(filters.access, name, question, alone, kept(answer), answer.named, read)
        return turn, answer

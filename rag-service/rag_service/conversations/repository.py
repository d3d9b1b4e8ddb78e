"""SQL of conversations; row level security shows each to its owner alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from castor_chassis import ANY_TIME, Postgres, TimeSpan, affected_rows
from rag_service.conversations.model import Conversation, Turn
from rag_service.documents.access_repository import accessing
from rag_service.documents.kept_answers_repository import are_kept
from rag_service.documents.model import Access, Document
from rag_service.errors import ConversationFull, ConversationNotFound, TooManyConversations

MOST_CONVERSATIONS = 500
MOST_TURNS = 100
_COLUMNS = "id, title, turns, created_at, updated_at"
_OWN = "tenant = $1 AND owner = $2"
_BEGIN = f"""
INSERT INTO conversations (tenant, owner, title)
SELECT $1, $2, $3 WHERE (SELECT count(*) FROM conversations WHERE {_OWN}) < {MOST_CONVERSATIONS}
RETURNING {_COLUMNS}
"""
_LIST = f"""
SELECT {_COLUMNS} FROM conversations WHERE {_OWN}
  AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
ORDER BY created_at DESC, id DESC LIMIT $5
"""
_TURN = f"UPDATE conversations SET turns = turns + 1, updated_at = now() WHERE {_OWN} AND id = $3 RETURNING turns"
_ADD = """
INSERT INTO conversation_turns (conversation, number, question, standalone, answer)
VALUES ($1, $2, $3, $4, CASE WHEN $6 THEN $5::jsonb ELSE rag_forgotten($5::jsonb) END)
RETURNING number, question, standalone, answer, asked_at
"""
# The trigger notes those that are cited.
_NOTE = """
INSERT INTO turn_citations (document_id, conversation, number) SELECT unnest($1::text[]), $2, $3
ON CONFLICT DO NOTHING
"""


class ConversationRepository:
    """Conversations of one caller. Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def begin(self, access: Access, title: str) -> Conversation:
        """Make a conversation; raises ``TooManyConversations``."""
        async with accessing(self._postgres, access) as connection:
            row = await connection.fetchrow(_BEGIN, access.tenant, access.subject, title)
        if row is None:
            raise TooManyConversations(limit=MOST_CONVERSATIONS)
        return Conversation(**row)

    async def page(
        self,
        access: Access,
        before: tuple[datetime, uuid.UUID] | None,
        limit: int,
        begun: TimeSpan = ANY_TIME,
    ) -> Sequence[Conversation]:
        """Return the conversations that began in a span and before a position (created_at, id), newest first."""
        asked = (*(before or (None, None)), limit, *begun)
        async with accessing(self._postgres, access) as connection:
            rows = await connection.fetch(_LIST, access.tenant, access.subject, *asked)
        return [Conversation(**row) for row in rows]

    async def conversation(self, access: Access, name: uuid.UUID) -> tuple[Conversation, list[Turn]]:
        """Return a conversation with its turns; raises ``ConversationNotFound``."""
        async with accessing(self._postgres, access) as connection:
            sql = f"SELECT {_COLUMNS} FROM conversations WHERE {_OWN} AND id = $3"
            row = await connection.fetchrow(sql, access.tenant, access.subject, name)
            turns = await connection.fetch(
                "SELECT number, question, standalone, answer, asked_at FROM conversation_turns "
                "WHERE conversation = $1 ORDER BY number",
                name,
            )
        if row is None:
            raise ConversationNotFound(conversation_id=str(name))
        return Conversation(**row), [Turn(**turn) for turn in turns]

    async def add(
        self,
        access: Access,
        name: uuid.UUID,
        question: str,
        standalone: str,
        answer: dict[str, Any],
        named: Sequence[str] = (),
        read: Sequence[Document] = (),
    ) -> Turn:
        """Append a turn; raises ``ConversationNotFound`` and ``ConversationFull``.

        ``named`` are ids of documents that the answer does not cite and whose authors it names, ``read`` those that
        it quotes as they were then. Of an answer with one that was erased or replaced meanwhile only that is kept.
        """
        used = [*_cited(answer), *named]
        async with accessing(self._postgres, access) as connection:
            number = await connection.fetchval(_TURN, access.tenant, access.subject, name)
            if number is None:
                raise ConversationNotFound(conversation_id=str(name))
            if number > MOST_TURNS:
                raise ConversationFull(limit=MOST_TURNS)
            is_kept = await are_kept(connection, access.tenant, used, read)
            row = await connection.fetchrow(_ADD, name, number, question, standalone, answer, is_kept)
            if is_kept:
                await connection.execute(_NOTE, list(named), name, number)
        assert row is not None, "an insert without a conflict clause returns its row"
        return Turn(**row)

    async def erase(self, access: Access, name: uuid.UUID) -> None:
        """Remove a conversation with its turns; raises ``ConversationNotFound``."""
        async with accessing(self._postgres, access) as connection:
            sql = f"DELETE FROM conversations WHERE {_OWN} AND id = $3"
            if affected_rows(await connection.execute(sql, access.tenant, access.subject, name)) == 0:
                raise ConversationNotFound(conversation_id=str(name))


def _cited(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the documents that an answer cites, in its text and for its positions."""
    of_positions = [name for position in answer["positions"] for name in position["citations"]]
    return [*(citation["id"] for citation in answer["citations"]), *of_positions]

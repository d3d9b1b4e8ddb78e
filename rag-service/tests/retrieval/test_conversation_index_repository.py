"""The indexes of conversations on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from castor_chassis import Postgres
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.retrieval.conversation_index_repository import ConversationIndexRepository

_INDEXES = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%(conversation)%' ORDER BY 1"


async def _names(postgres: Postgres) -> list[str]:
    return [row["indexname"] for row in await postgres.fetch(_INDEXES)]


@pytest.fixture
async def conversations(postgres: Postgres) -> ConversationIndexRepository:
    """The indexes of conversations, of which there is none yet."""
    for name in await _names(postgres):
        await postgres.execute(f"DROP INDEX {name}")
    return ConversationIndexRepository(postgres)


async def test_each_partition_has_an_index_once(postgres: Postgres, conversations: ConversationIndexRepository) -> None:
    """Those that have none get theirs; a second look changes nothing."""
    built = await conversations.ensure()
    assert {"documents_2022", "documents_other"} < set(built)
    assert await conversations.ensure() == []
    assert await _names(postgres) == sorted(f"{partition}_conversation" for partition in built)


async def test_a_half_built_index_is_replaced(
    postgres: Postgres, documents: DocumentRepository, conversations: ConversationIndexRepository
) -> None:
    """One that a crash, here a failure, left invalid is dropped and built anew."""
    day = datetime(2022, 5, 1, tzinfo=UTC)
    await documents.save([Draft(f"d{n}", "Texto", "x", day, conversation="c") for n in range(2)])
    with pytest.raises(asyncpg.UniqueViolationError):
        await postgres.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY documents_2022_conversation ON documents_2022 (conversation)"
        )
    assert "documents_2022" in await conversations.ensure()
    state = (
        "SELECT indisvalid AND NOT indisunique FROM pg_index WHERE indexrelid = 'documents_2022_conversation'::regclass"
    )
    assert await postgres.fetchval(state)


async def test_the_index_of_an_earlier_release_is_kept(
    postgres: Postgres, conversations: ConversationIndexRepository
) -> None:
    """One over all partitions serves each of them."""
    await postgres.execute(
        "CREATE INDEX documents_conversation ON documents (conversation) WHERE conversation IS NOT NULL"
    )
    assert await conversations.ensure() == []
    await postgres.execute("DROP INDEX documents_conversation")

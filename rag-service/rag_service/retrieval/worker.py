"""Background work: keeps the partitions as time goes on, and their indexes as they need them."""

from __future__ import annotations

from datetime import UTC, datetime

from rag_service.documents.partition_repository import PartitionRepository
from rag_service.metrics import VECTOR_INDEXES
from rag_service.retrieval.conversation_index_repository import ConversationIndexRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository


async def keep_indexes(
    partitions: PartitionRepository, conversations: ConversationIndexRepository, indexes: VectorIndexRepository
) -> None:
    """Make partitions ahead, build and drop their indexes as needed; first those that take minutes, not hours."""
    await partitions.ensure(datetime.now(UTC))
    await conversations.ensure()
    VECTOR_INDEXES.set(await indexes.ensure())

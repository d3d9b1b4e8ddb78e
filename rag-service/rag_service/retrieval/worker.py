"""Background work: keeps the partitions as time goes on, and the vector indexes as the partitions need them."""

from __future__ import annotations

from datetime import UTC, datetime

from rag_service.documents.partition_repository import PartitionRepository
from rag_service.metrics import VECTOR_INDEXES
from rag_service.retrieval.vector_index_repository import VectorIndexRepository


async def keep_indexes(partitions: PartitionRepository, indexes: VectorIndexRepository) -> None:
    """Make partitions ahead, build and drop vector indexes as needed."""
    await partitions.ensure(datetime.now(UTC))
    VECTOR_INDEXES.set(await indexes.ensure())

"""Background work: keeps the vector indexes as the partitions need them."""

from __future__ import annotations

import asyncio

from rag_service.metrics import VECTOR_INDEXES
from rag_service.retrieval.vector_index_repository import VectorIndexRepository


async def keep_indexes(indexes: VectorIndexRepository, seconds: float) -> None:
    """Build and drop vector indexes as needed, every ``seconds`` until cancelled."""
    while True:
        VECTOR_INDEXES.set(await indexes.ensure())
        await asyncio.sleep(seconds)

"""SQL of the indexes of conversations: one per partition of the feed's documents, for searches that fold them."""

from __future__ import annotations

import structlog

from castor_chassis import Postgres
from rag_service.retrieval.vector_index_repository import without_limit

log = structlog.get_logger("castor.rag.conversation_indexes")

# An earlier release built one over all partitions, which serves as well.
_WITHOUT = """
SELECT h.inhrelid::regclass::text AS name FROM pg_inherits h
WHERE h.inhparent = 'documents'::regclass AND NOT EXISTS (
    SELECT FROM pg_index x WHERE x.indrelid = h.inhrelid AND x.indisvalid
    AND pg_get_indexdef(x.indexrelid, 1, true) = 'conversation'
)
ORDER BY name
"""


class ConversationIndexRepository:
    """Builds the indexes without which a search that folds conversations reads every document."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def ensure(self) -> list[str]:
        """Build the index of each partition that has none, and return the names of these partitions.

        Built concurrently, so reads and writes go on. What a crash left half-built is dropped.
        """
        partitions = [row["name"] for row in await self._postgres.fetch(_WITHOUT)]
        for partition in partitions:
            name = f"{partition}_conversation"
            await without_limit(self._postgres, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            await without_limit(
                self._postgres,
                f"CREATE INDEX CONCURRENTLY {name} ON {partition} (conversation) WHERE conversation IS NOT NULL",
            )
            log.info("conversation_index_built", partition=partition, index=name)
        return partitions

"""The vector indexes on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castor_chassis import Postgres
from rag_service.retrieval.vector_index_repository import VectorIndexRepository

if TYPE_CHECKING:
    from conftest import StoreArc


async def test_an_index_of_another_dimension_is_replaced(
    indexes: VectorIndexRepository, store_arc: StoreArc, postgres: Postgres
) -> None:
    """After EMBEDDING_DIMENSIONS changes, the old index is dropped; a second look changes nothing."""
    await store_arc(60)
    assert await indexes.ensure() == 1
    assert await indexes.ensure() == 1
    other = VectorIndexRepository(postgres, dimensions=9, exact_rows=50)
    assert await other.ensure() == 0
    names = "SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%hnsw%'"
    assert await postgres.fetchval(names) == 0

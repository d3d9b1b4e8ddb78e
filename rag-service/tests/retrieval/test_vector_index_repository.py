"""The vector indexes on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castor_chassis import Postgres
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
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


async def test_the_index_of_the_model_before_is_kept_for_so_long(
    embeddings: EmbeddingRepository, indexes: VectorIndexRepository, store_arc: StoreArc, postgres: Postgres
) -> None:
    """An index of other dimensions goes when the last document of its model has a new vector, not before."""
    drafts = await store_arc(60)
    await indexes.ensure()
    await embeddings.adopt("new", 4)
    later = VectorIndexRepository(postgres, dimensions=4, exact_rows=50)

    async def names() -> set[str]:
        rows = await postgres.fetch("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%hnsw%'")
        return {row["indexname"] for row in rows}

    await later.ensure()
    assert await names() == {"documents_2022_hnsw_8"}
    await embeddings.set_embeddings(
        await embeddings.pending(99, 9), Embeddings("new", 4, [[1.0, 0.0, 0.0, 0.0]] * len(drafts))
    )
    await embeddings.end_change()
    await later.ensure()
    assert await names() == {"documents_2022_hnsw_4"}

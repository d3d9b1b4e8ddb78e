"""How many documents are embedded, waiting and refused is kept, whatever changes them."""

from __future__ import annotations

from datetime import UTC, datetime

from castor_chassis import Postgres
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository

DAY = datetime(2022, 5, 1, tzinfo=UTC)
_COUNTED = """
SELECT coalesce(embedding_model, '') AS model, embedding_refused AS refused, count(*) AS documents
FROM documents GROUP BY 1, 2 ORDER BY 1, 2
"""
_KEPT = "SELECT model, refused, documents FROM document_counts WHERE documents <> 0 ORDER BY model, refused"


async def test_what_is_kept_is_what_is_there(
    documents: DocumentRepository, embeddings: EmbeddingRepository, postgres: Postgres
) -> None:
    """After storing, embedding, refusing, changing, moving between years, erasing and a new model the counts agree."""

    async def counted() -> list[tuple[object, ...]]:
        found = [tuple(row) for row in await postgres.fetch(_COUNTED)]
        assert [tuple(row) for row in await postgres.fetch(_KEPT)] == found
        return found

    drafts = [Draft(f"d{number}", f"Texto {number}", "x", DAY) for number in range(9)]
    await documents.save(drafts)
    assert await counted() == [("", False, 9)]
    pending = await embeddings.pending(7, 100)
    await embeddings.set_embeddings(pending[:6], Embeddings("m", 2, [[1.0, 0.0]] * 6))
    await embeddings.refuse(pending[6:])
    assert await counted() == [("", False, 2), ("", True, 1), ("m", False, 6)]
    await documents.save([Draft(pending[0].key[0], "Otro texto", "x", DAY)])
    await documents.save([Draft(pending[1].key[0], pending[1].text, "x", datetime(2024, 1, 1, tzinfo=UTC))])
    assert await counted() == [("", False, 3), ("", True, 1), ("m", False, 6 - 1)]
    await documents.apply_page([Draft("d1", "Uno más", "x", DAY)], [pending[2].key[0], "nobody"], 1)
    await embeddings.adopt("other", 3)
    assert sum(row[2] for row in await counted()) == 8
    counts = await embeddings.counts()
    assert (counts.documents, counts.embedded, counts.pending, counts.refused) == (8, 0, 8, 0)
    assert counts.model == "other"


async def test_a_reader_counts_the_shared_and_the_own(
    documents: DocumentRepository, embeddings: EmbeddingRepository, postgres: Postgres
) -> None:
    """The documents of the feed count for everybody, an organisation's for its members; at first there is none."""
    owner = Access("b", ("analyst",), "user:bob")
    assert (await embeddings.counts(owner)).documents == 0
    await documents.save([Draft("tweet:1", "Hospitales", "twitter", DAY)])
    await TenantDocumentRepository(postgres).save(owner, "upload", [Draft("d1", "Escuelas", "x", DAY)])
    assert [(await embeddings.counts(who)).documents for who in (owner, Access("a"))] == [2, 1]

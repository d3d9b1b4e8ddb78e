"""Which documents wait for a vector, on a real PostgreSQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from castor_chassis import Postgres
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.embeddings.model import Embeddings, PendingDocument
from rag_service.embeddings.repository import _PENDING, EmbeddingRepository


async def test_a_change_of_dimensions_forgets_the_old_vectors(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """Rows of another length are marked for a new embedding even when the model kept its name."""
    await documents.save([Draft("d1", "uno", "x"), Draft("d2", "dos", "x")])
    first, second = await embeddings.pending(2, 100)
    await embeddings.set_embeddings([first], Embeddings("m", 3, [[1.0, 0.0, 0.0]]))
    await embeddings.set_embeddings([second], Embeddings("m", 2, [[1.0, 0.0]]))
    assert [item.key for item in await embeddings.pending(9, 100)] == [first.key]


async def test_a_vector_of_an_older_text_is_dropped(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """A text that changed while the encoder worked on it stays pending."""
    await documents.save([Draft("d1", "antes", "x")])
    (item,) = await embeddings.pending(1, 100)
    await documents.save([Draft("d1", "después", "x")])
    await embeddings.set_embeddings([item], Embeddings("m", 2, [[1.0, 0.0]]))
    assert [entry.text for entry in await embeddings.pending(1, 100)] == ["después"]


async def test_pending_texts_are_cut_for_the_encoder(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """The encoder gets the title and the beginning of a long text."""
    await documents.save([Draft("d1", "x" * 500, "x", title="Programa")])
    (item,) = await embeddings.pending(1, 100)
    assert isinstance(item, PendingDocument)
    assert item.text == "Programa\n" + "x" * 100


async def test_the_newest_documents_are_embedded_first(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """Of those that wait the newest come first, whatever order they were stored in; counts say how many wait."""
    days = [datetime(2022, 5, day, tzinfo=UTC) for day in (3, 9, 1, 7)]
    await documents.save([Draft(f"d{day.day}", "Texto", "x", day) for day in days])
    assert [item.key[0] for item in await embeddings.pending(2, 100)] == ["d9", "d7"]
    counts = await embeddings.counts()
    assert (counts.documents, counts.pending, counts.embedded, counts.refused) == (4, 4, 0, 0)


async def test_the_next_batch_passes_over_nothing_that_is_embedded(
    postgres: Postgres, documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """What waits is read from an index in its order, however many newer documents have their vector."""
    begin = datetime(2022, 5, 1, tzinfo=UTC)
    await documents.save([Draft(f"d{n}", "Texto", "x", begin + timedelta(minutes=n)) for n in range(2000)])
    newest = await embeddings.pending(1000, 100)
    await embeddings.set_embeddings(newest, Embeddings("m", 2, [[1.0, 0.0]] * 1000))
    await postgres.execute("ANALYZE documents")
    assert [item.key[0] for item in await embeddings.pending(2, 100)] == ["d999", "d998"]
    plan = await postgres.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {_PENDING} LIMIT $2", "m", 10, 100)
    assert "Index Scan" in plan
    assert set(re.findall(r'"Rows Removed by Filter": (\d+)', plan)) <= {"0"}


async def test_an_upload_of_one_organisation_holds_up_no_other_and_no_tweet(
    postgres: Postgres, documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """Tweets take every second turn, organisations the others one by one, whatever time their documents say."""
    far = datetime(9999, 12, 30, tzinfo=UTC)
    owned = TenantDocumentRepository(postgres)
    for tenant, number, moment in (("big", 30, far), ("mid", 2, None), ("small", 1, datetime(2020, 1, 1, tzinfo=UTC))):
        access = Access(tenant, (), "user:ana")
        await owned.save(access, "upload", [Draft(f"{tenant}{i}", f"Texto {i}", "x", moment) for i in range(number)])
    await documents.save([Draft(f"tweet:{day}", "Texto", "x", datetime(2022, 5, day, tzinfo=UTC)) for day in (1, 2, 3)])
    turns = await embeddings.pending(10, 100)
    assert [item.tenant or item.key[0] for item in turns] == [
        *("tweet:3", "big", "tweet:2", "mid", "tweet:1", "small"),
        *("big", "mid", "big", "big"),
    ]
    assert len(await embeddings.pending(100, 100)) == 36


async def test_what_has_no_vector_goes_before_what_is_embedded_anew(
    postgres: Postgres, documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """After a change of the model a new document waits for none of those that can still be found."""
    owned = TenantDocumentRepository(postgres)
    await owned.save(Access("acme", (), "user:ana"), "upload", [Draft("old", "Uno.", "x")])
    await documents.save([Draft("tweet:1", "Dos.", "x")])
    await embeddings.set_embeddings(await embeddings.pending(9, 100), Embeddings("m1", 1, [[1.0], [1.0]]))
    await owned.save(
        Access("acme", (), "user:ana"), "upload", [Draft("new", "Tres.", "x", datetime(2020, 1, 1, tzinfo=UTC))]
    )
    await embeddings.adopt("m2", 1)
    assert [item.key[0] for item in await embeddings.pending(9, 100)] == ["tweet:1", "new", "old"]

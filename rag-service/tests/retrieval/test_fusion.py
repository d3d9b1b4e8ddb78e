"""Rankings are fused, near-duplicates left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.retrieval.fusion import fuse, shared, without_near_duplicates
from rag_service.retrieval.model import Hit
from rag_service.retrieval.repository import SearchRepository

NOW = datetime(2100, 1, 1, tzinfo=UTC)


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    """1 / (60 + rank) over the rankings that have the document."""
    a, b = ("a", NOW), ("b", NOW)
    assert fuse({a: 1, b: 2}, {b: 1}) == {a: 1 / 61, b: 1 / 62 + 1 / 61}
    assert fuse({a: 1}, {b: 1}, {a: 1}, weights=[2, 3]) == {a: 2 / 61 + 1 / 61, b: 3 / 61}


async def test_copies_of_a_better_document_are_left_out(
    documents: DocumentRepository, searches: SearchRepository
) -> None:
    """Retweets and chains count once; another statement on the subject stays."""
    texts = [
        "La reforma pensional protege a los abuelos de Colombia hoy",
        "RT @ana: La reforma pensional protege a los abuelos de Colombia hoy https://t.co/x1",
        "LA REFORMA PENSIONAL protege a los abuelos de Colómbia hoy!!!",
        "La reforma pensional quiebra a los abuelos",
    ]
    await documents.save([Draft(f"d{n}", text, "x", NOW) for n, text in enumerate(texts)])
    found = await searches.documents([(f"d{n}", NOW) for n in range(4)])
    hits = [Hit(found[f"d{n}", NOW], 1.0, 1, None, None) for n in range(4)]
    assert [hit.document.id for hit in without_near_duplicates(hits)] == ["d0", "d3"]


def test_places_are_shared_among_rankings() -> None:
    """However much better the hits of one score; what one cannot fill, the others do."""
    rankings: Any = [["a1", "a2", "a3"], ["b1"], []]
    assert (shared(rankings, 2), shared(rankings, 9)) == (["a1", "b1"], ["a1", "b1", "a2", "a3"])

"""Documents that say the same are counted once each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rag_service.answers.passages import fold_repeats
from rag_service.documents.model import Document
from rag_service.retrieval.model import Hit

BASE = "uno dos tres cuatro cinco seis siete ocho nueve"


def hit(name: str, text: str, words_hash: str | None, day: int) -> Hit:
    """Return a document that was found."""
    moment = datetime(2022, 5, day, tzinfo=UTC)
    document = Document(
        id=name, text=text, source="x", published_at=moment, title=None, url=None, author=None, entities=[],
        metadata={}, stored_at=moment, updated_at=moment, embedding_model=None, words_hash=words_hash,
    )  # fmt: skip
    return Hit(document, 1.0, 1, None, None)


@pytest.mark.parametrize(
    ("stored", "copies"),
    [({"same": 101, "near": 1}, 99), ({"same": 101, "near": 5}, 103), ({"same": 2}, 0), ({}, 0), ({"same": 1}, 0)],
)
def test_copies_of_every_wording_count(stored: dict[str | None, int], copies: int) -> None:
    """Also of those that are not the earliest; what was found counts no second time, nor what has been erased since."""
    hits = [hit("a", BASE + " diez", "near", 1), hit("b", BASE, "same", 2), hit("c", BASE, "same", 3)]
    (passage,) = fold_repeats(hits, [1.0, 1.0, 1.0])
    assert passage.document.id == "a"
    assert passage.beside_those_found(stored) == copies


def test_a_document_without_a_hash_has_no_copies() -> None:
    """It was stored by an earlier version."""
    (passage,) = fold_repeats([hit("a", BASE, None, 1)], [1.0])
    assert passage.beside_those_found({None: 7}) == 0

"""The phrases of a group of texts."""

from __future__ import annotations

import pytest

from rag_service.text.labels import READ, labels_of


@pytest.mark.parametrize("before", ["", " " * (READ + 1), "\n\u00a0" * READ])
def test_a_text_that_begins_with_white_space_is_read_after_it(before: str) -> None:
    """However much of it there is."""
    texts = [before + "Hospitales gratuitos ya. " + "x" * READ, before + "Queremos hospitales gratuitos.", "Otra cosa."]
    assert labels_of(texts, [[0, 1], [2]], frozenset())[0] == ["hospitales gratuitos"]


def test_a_text_of_white_space_has_no_label() -> None:
    """Nor has a word that is longer than what is read."""
    assert labels_of([" " * (READ + 1), "x" * (READ + 1)], [[0], [1]], frozenset()) == [[], []]

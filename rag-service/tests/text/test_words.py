"""Words of a text."""

from __future__ import annotations

import unicodedata

import pytest

from rag_service.text.words import is_at_start, words_of


def test_words_are_folded_and_without_what_is_no_word_of_the_text() -> None:
    """Case, accents and composition make no difference; URLs, mentions and the mark of a retweet are left out."""
    text = "RT @ana: ¡Educación PÚBLICA para niños! @luis https://t.co/x1"
    assert words_of(text) == {"educacion", "publica", "para", "ninos"}
    assert words_of(unicodedata.normalize("NFD", text)) == words_of(text)


@pytest.mark.parametrize(
    ("before", "starts"),
    [("", True), ("¿", True), ("Dijo que ", False), ("Se acabó. «", True), ("a, ", False), ("no! b ", False),
     ("fin.\n - ", True), ("!" * 1_000_000 + "x", False), ("x" + "!" * 1_000_000, True)],
    ids=range(9),
)  # fmt: skip
def test_where_a_sentence_begins(before: str, *, starts: bool) -> None:
    """Before everything, and behind an end with no word since; a row of a million signs is read once."""
    assert is_at_start(before, frozenset(".!?")) == starts

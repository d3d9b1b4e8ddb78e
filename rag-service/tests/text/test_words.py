"""Words of a text."""

from __future__ import annotations

import unicodedata

from rag_service.text.words import words_of


def test_words_are_folded_and_without_what_is_no_word_of_the_text() -> None:
    """Case, accents and composition make no difference; URLs, mentions and the mark of a retweet are left out."""
    text = "RT @ana: ¡Educación PÚBLICA para niños! @luis https://t.co/x1"
    assert words_of(text) == {"educacion", "publica", "para", "ninos"}
    assert words_of(unicodedata.normalize("NFD", text)) == words_of(text)

"""Quotes are found word for word, and only those that stand there."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.text.verbatim import VerbatimText

_texts = st.text(alphabet=st.sampled_from('aáe\u0301n\u0303ñ \n\u00a0.,"«»[]:1퀀ᄀ\u1161\u11a8🇨\u200d<&;'), max_size=60)


def test_a_whole_short_document_may_be_quoted() -> None:
    """The least length is there against empty proofs, not against short tweets."""
    assert VerbatimText("¡No!").find("¡No!") == (0, 4)
    assert VerbatimText("¡No! y no").find("¡No!") is None


@settings(max_examples=300, deadline=None)
@given(text=_texts, quote=_texts)
def test_whatever_is_found_stands_there(text: str, quote: str) -> None:
    """For any text and quote: what ``find`` names equals the quote up to NFC and white space."""
    span = VerbatimText(text).find(quote)
    if span is not None:
        found = text[span[0] : span[1]]
        assert _flat(quote) in _flat(found)
        assert len(_flat(found)) - len(_flat(quote)) <= 1


@settings(max_examples=300, deadline=None)
@given(text=_texts, start=st.integers(0, 60), end=st.integers(0, 60))
def test_every_long_enough_piece_is_found(text: str, start: int, end: int) -> None:
    """A piece that is cut at white space and long enough is always found."""
    piece = text[start:end]
    whole_words = (start == 0 or text[start - 1 : start].isspace()) and (end >= len(text) or text[end].isspace())
    apart = not unicodedata.combining(piece[0]) if piece else False
    if whole_words and apart and len(_flat(piece)) >= 8:
        assert VerbatimText(text).find(piece) is not None


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())

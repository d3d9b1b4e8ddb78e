"""Words and phrases of a text."""

from __future__ import annotations

import pytest

from twitter_service.matching import phrases
from twitter_service.matching.phrases import words_of


@pytest.mark.parametrize("first", range(0, 0x20000, 0x800))
def test_the_quick_way_reads_what_the_thorough_way_reads(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever character stands in a word, handle, hashtag or link, both ways of folding find the same words."""
    letters = [chr(code) for code in range(first, first + 0x800) if not 0xD800 <= code < 0xE000]
    texts = [f"Ab{c}cd @x{c}y #{c}z https://t.co/a{c}b fin {c}" for c in letters]
    quickly = [words_of(text) for text in texts]
    monkeypatch.setattr(phrases, "_quickly_folded", lambda _text: None)
    assert quickly == [words_of(text) for text in texts]


def test_most_spanish_takes_the_quick_way() -> None:
    """Accents, inverted marks, quotes, dashes and emoji do not need the thorough way; other alphabets do."""
    assert phrases._quickly_folded("¿Qué? “Ñandú” — ¡no! 🇨🇴 😂 …") is not None
    assert phrases._quickly_folded("привет") is None

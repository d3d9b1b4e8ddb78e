"""For whom a tweet counts."""

from __future__ import annotations

import pytest

from twitter_service.matching import phrases as words
from twitter_service.matching.entities import Matcher, Terms, slug
from twitter_service.matching.mentions import name_in
from twitter_service.matching.phrases import words_of

ENTITIES = [
    Terms("petro", ("petrogustavo",), ("Gustavo Petro", "Petro"), ("PetroPresidente",)),
    Terms("fico", ("FicoGutierrez",), ("Federico Gutiérrez",), ()),
    Terms("m19", (), ("M-19",), ()),
]
FICO = Terms("fico", ("FicoGutierrez",), ("Fico", "Fico Gutiérrez"), ("EquipoPorColombia",))


@pytest.mark.parametrize(
    ("username", "text", "expected"),
    [
        ("PetroGustavo", "buenos días", {"petro"}),
        ("ana", "hola @FICOGUTIERREZ!", {"fico"}),
        ("ana", "GUSTAVO   PÉTRO ganó", {"petro"}),
        ("ana", "federico gutierrez y petro", {"fico", "petro"}),
        ("ana", "#petropresidente", {"petro"}),
        ("ana", "#Petro sí", {"petro"}),
        ("ana", "Ecopetrol y el petróleo", set()),
        ("ana", "un correo a@petrogustavo.co", set()),
        ("ana", "mira @petro y https://x.co/petro", set()),
        ("ana", "el M-19, el m 19", {"m19"}),
        ("ana", "el M-190", set()),
        ("ana", "Gustavo. Federico", set()),
        ("ana", "", set()),
    ],
)
def test_entities_of(username: str, text: str, expected: set[str]) -> None:
    """Handles, hashtags and aliases match without case and accents, and only as whole words."""
    assert Matcher(ENTITIES).entities_of(username, text) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("Ana_P", "ana_p"), ("Íngrid Betancourt", "ingrid-betancourt"), ("日本", "")]
)
def test_slug(name: str, expected: str) -> None:
    """A slug keeps what an id may hold."""
    assert slug(name) == expected


@pytest.mark.parametrize("first", range(0, 0x20000, 0x800))
def test_the_quick_way_reads_what_the_thorough_way_reads(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever character stands in a word, handle, hashtag or link, both ways of folding find the same words."""
    letters = [chr(code) for code in range(first, first + 0x800) if not 0xD800 <= code < 0xE000]
    texts = [f"Ab{c}cd @x{c}y #{c}z https://t.co/a{c}b fin {c}" for c in letters]
    quickly = [words_of(text) for text in texts]
    monkeypatch.setattr(words, "_quickly_folded", lambda _text: None)
    assert quickly == [words_of(text) for text in texts]


def test_most_spanish_takes_the_quick_way() -> None:
    """Accents, inverted marks, quotes, dashes and emoji do not need the thorough way; other alphabets do."""
    assert words._quickly_folded("¿Qué? “Ñandú” — ¡no! 🇨🇴 😂 …") is not None
    assert words._quickly_folded("привет") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voto por fico gutierrez", "Fico Gutiérrez"),
        ("voto por FICO", "Fico"),
        ("voto por @ficogutierrez y @FicoGutierrez", "@ficogutierrez"),
        ("arriba #equipoPorColombia!", "#equipoPorColombia"),
        ("un correo a@ficogutierrez.co", None),
        ("buenos días", None),
    ],
)
def test_name_in(text: str, expected: str | None) -> None:
    """The longest alias is the name, else the handle or hashtag as the text writes it; an author alone is not named."""
    assert name_in(text, FICO) == expected

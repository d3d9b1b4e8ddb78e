"""For whom a tweet counts."""

from __future__ import annotations

import pytest

from twitter_service.matching.entities import Matcher, Terms, slug

ENTITIES = [
    Terms("petro", ("petrogustavo",), ("Gustavo Petro", "Petro"), ("PetroPresidente",)),
    Terms("fico", ("FicoGutierrez",), ("Federico Gutiérrez",), ()),
    Terms("m19", (), ("M-19",), ()),
]


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

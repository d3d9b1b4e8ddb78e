"""Whom a full name means, and who is only called so in part."""

from __future__ import annotations

import pytest

from rag_service.text.names import full_names, means, mentions

GAVIRIA = frozenset({"cesar", "gaviria"})


def test_names_of_several_words_are_read_off_a_question() -> None:
    """Titles and the words by which it is asked are no part of a name; one word alone is no full name."""
    assert full_names("¿Qué dice Álvaro Uribe del Presidente César Gaviria y de Bogotá?") == [
        frozenset({"alvaro", "uribe"}),
        GAVIRIA,
    ]
    assert full_names("Compara Restrepo y a Lucía Mosquera") == [frozenset({"lucia", "mosquera"})]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Gaviria no puede callar.", True),
        ("El Expresidente Gaviria calla.", True),
        ("César Gaviria Trujillo acabó con el campo.", True),
        ("Ce\u0301sar Gaviria calla.", True),
        ("#TieneHuevo Gaviria calla.", True),
        ("LOS NEGOCIOS DE GAVIRIA", True),
        ("Alejandro Gaviria se convirtió en otro.", False),
        ("Gaviria apoya a Alejandro Gaviria.", True),
        ("César Moreno llegó.", False),
        ("Gaviria se reunió con Alejandro Gaviria Uribe.", True),
        ("Alejandro Gaviria César Gaviria", True),
        ("Dice Alejandro Gaviria Uribe.", False),
        ("Ayer Gaviria rechazó el acuerdo.", True),
        ("Este Domingo Gaviria habla. En Francia Gaviria calla.", True),
        ("Pobre Gaviria.", True),
        ("El Exsenador Gaviria y el Vicepresidente Gaviria", True),
        ("¡Viva Gaviria! Fuera Gaviria. Yo Voto Gaviria, el Gobierno Gaviria.", True),
        ("Gaviria Trujillo calla.", True),
        ("", True),
    ],
)
def test_a_namesake_is_somebody_else(text: str, meant: bool) -> None:
    """Another given name before the surname, or another surname after the given name, tells of another person;
    other capitalised words tell nothing."""
    word = "cesar" if "Moreno" in text else "gaviria"
    assert means(text, word, GAVIRIA) is meant


def test_a_handle_holds_a_name() -> None:
    """Who writes to an account speaks of its owner; an address of mail without a handle is none."""
    assert mentions("Gracias @AlvaroUribeVel por venir", "Uribe")
    assert not mentions("Gracias Uribista por venir", "Uribe")

"""Whom the prose of an answer says that words are of."""

from __future__ import annotations

import pytest

from rag_service.text.attribution import speakers_in


@pytest.mark.parametrize(
    ("prose", "speakers"),
    [
        ("Petro dijo: ", {"petro"}),
        ("Gustavo Petro también prometió ", {"gustavo", "petro"}),
        ("Según Gutiérrez, ", {"gutierrez"}),
        ("de acuerdo con @petrogustavo ", {"petrogustavo"}),
        ("Ayer lo anunció Fajardo: ", {"fajardo"}),
        ("Francia Márquez: ", {"francia", "marquez"}),
        ("Propuestas: ", set()),
        ("Prometen obras: ", set()),
        ("También dice ", set()),
        ("Varios usuarios piden ", set()),
        ("El documento lo explica así: ", set()),
        ("Sobre salud en Bogotá: ", set()),
        ("", set()),
    ],
)
def test_speakers_are_those_who_are_said_to_speak(prose: str, speakers: set[str]) -> None:
    """A name before or after a verb of saying, after "según", or before a colon; a subject of the answer is none."""
    assert {name for names in speakers_in(prose) for name in names} == speakers

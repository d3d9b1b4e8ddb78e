"""The words of a question that carry its subject."""

from __future__ import annotations

import pytest

from rag_service.text.terms import keys_of, question_terms


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("¿Cuál es el precio del bitcoin en Marte?", ["precio", "bitcoin", "Marte"]),
        ("¿Qué propone Petro sobre las pensiones?", ["Petro", "pensiones"]),
        ("¿Qué opina la gente de la reforma tributaria?", ["reforma", "tributaria"]),
        ("¿Qué se dice?", []),
        ("#ParoNacional y @ClaudiaLopez https://t.co/x", ["ParoNacional", "ClaudiaLopez"]),
    ],
)
def test_the_words_by_which_it_is_asked_are_left_out(question: str, words: list[str]) -> None:
    """Stop words and the verbs of asking are no subject."""
    assert [term.word for term in question_terms(question)] == words


@pytest.mark.parametrize(
    ("question", "speakers"),
    [
        ("¿Qué propone Gustavo Petro sobre salud?", ["Gustavo", "Petro"]),
        ("¿Cuál es la propuesta de Fajardo para Bogotá?", ["Fajardo"]),
        ("Según el candidato Fico, ¿qué es orden?", ["Fico"]),
        ("¿Qué dicen de Petro en Cali?", []),
        ("¿Qué le responde la gente a Petro?", []),
    ],
)
def test_who_is_asked_to_speak_is_told_from_who_is_spoken_of(question: str, speakers: list[str]) -> None:
    """A name after a verb or noun of saying is that of a speaker."""
    assert [term.word for term in question_terms(question) if term.speaker] == speakers


@pytest.mark.parametrize(
    ("word", "text", "held"),
    [
        ("pensiones", "La reforma a la pensión", True),
        ("votacion", "Las votaciones fueron ayer", True),
        ("Marte", "Nos vemos el martes", False),
        ("marte", "Nos vemos el martes", False),
        ("Paz", "paz total", True),
        ("metro", "#MetroDeBogotá ya", False),
    ],
)
def test_a_word_is_held_in_any_form_and_no_other_word_is(word: str, text: str, held: bool) -> None:
    """Endings and accents make no difference; a name is only itself."""
    (term,) = question_terms(f"¿Qué dicen de {word}?")
    assert term.within(keys_of([text])) is held

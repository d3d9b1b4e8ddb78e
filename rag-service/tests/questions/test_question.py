"""The parts of a question."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Literal

import pytest

from rag_service.questions.question import Question
from rag_service.retrieval.model import Filters


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("¿Qué se dice de la vivienda y los subsidios?", ["vivienda", "subsidios"]),
        ("¿Qué se dice del precio de los alimentos y la inflación?", ["precio de los alimentos", "inflación"]),
        ("¿Qué se dice de la educacio\u0301n y la salud?", ["educación", "salud"]),
        ("¿Qué dicen Petro y Fico del petróleo?", []),
        ("¿A quién le creen más sobre los impuestos, a Quintero o a Barrera?", []),
        ("¿Qué se dice del metro?", []),
        ("Compara Restrepo y Mosquera", ["Restrepo", "Mosquera"]),
        ("Compárame a Mariana Restrepo con Lucía Mosquera en seguridad", ["Mariana Restrepo", "Lucía Mosquera"]),
        ("Haz una comparación de la salud con la educación", ["salud", "educación"]),
        ("¿Qué se dice de la salud con la educación?", []),
        ("¿Qué dicen de salud y empleo y tierras y minas y ríos?", []),
        ("¿?", []),
    ],
)
def test_what_y_joins_are_parts(text: str, parts: list[str]) -> None:
    """Each as it is written; those who are asked to speak are none, nor is what a comma divides, nor are very many."""
    asked = Question.of(text, Filters(as_of=datetime(2022, 5, 1, tzinfo=UTC)))
    assert [written for written, _ in asked.parts] == parts


@pytest.mark.parametrize("period", ["a partir de 2023", "después de 2022", "desde el 7 de agosto de 2022", "en 2023"])
def test_a_period_to_come_is_no_filter(period: str) -> None:
    """Nothing that was published by then could be of it; what it names is a word of the question."""
    filters = Filters(as_of=datetime(2022, 5, 20, tzinfo=UTC))
    asked = Question.of(f"¿Qué harán con la paz {period}?", filters)
    assert asked.filters == filters
    assert period[-4:] in [term.word for term in asked.terms]


def test_a_period_that_has_begun_is_a_filter() -> None:
    """It has begun when it begins with the moment as of which is asked."""
    now = datetime(2022, 5, 20, 5, tzinfo=UTC)
    asked = Question.of("¿Qué dicen de la paz desde hoy?", Filters(as_of=now))
    assert (asked.filters.since, [term.word for term in asked.terms]) == (now, ["paz"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("period", ["el miércoles pasado", "el fin de semana anterior", "el año pasado"])
def test_no_word_of_a_period_is_asked_for(period: str, form: Literal["NFC", "NFD"]) -> None:
    """What only tells when need not be held; a word of the question that is also one of the period must be."""
    filters = Filters(as_of=datetime(2022, 5, 20, 5, tzinfo=UTC))
    asked = Question.of(unicodedata.normalize(form, f"¿Qué dijo @Petro de la paz {period}?"), filters)
    assert [term.word for term in asked.terms] == ["Petro", "paz"]
    of_past = Question.of(f"¿Qué dicen del pasado de Petro {period}?", filters)
    assert [term.word for term in of_past.terms] == ["pasado", "Petro"]

"""The parts of a question."""

from __future__ import annotations

from datetime import UTC, datetime

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
        ("¿Qué dicen de salud y empleo y tierras y minas y ríos?", []),
        ("¿?", []),
    ],
)
def test_what_y_joins_are_parts(text: str, parts: list[str]) -> None:
    """Each as it is written; those who are asked to speak are none, nor is what a comma divides, nor are very many."""
    asked = Question.of(text, Filters(as_of=datetime(2022, 5, 1, tzinfo=UTC)))
    assert [written for written, _ in asked.parts] == parts

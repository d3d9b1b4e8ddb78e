"""Follow-up questions, rewritten to stand alone."""

from __future__ import annotations

import pytest

from rag_service.conversations.follow_up import standalone


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("¿Qué propone Petro sobre salud?", "¿Y Fajardo?", "¿Qué propone Fajardo sobre salud?"),
        ("¿Qué propone Gustavo Petro sobre salud?", "¿Y Fico?", "¿Qué propone Fico sobre salud?"),
        ("¿Qué dicen del metro en abril de 2022?", "¿Y en marzo de 2022?", "¿Qué dicen del metro en marzo de 2022?"),
        ("¿Qué dicen del metro?", "¿Y ayer?", "¿Qué dicen del metro ayer?"),
        ("¿Qué dicen del metro antes de hoy?", "¿Y en marzo?", "¿Qué dicen del metro en marzo?"),
        ("¿Qué dicen del metro de 2020 hasta hoy?", "¿Y antes de ayer?", "¿Qué dicen del metro antes de ayer?"),
        ("¿Qué dicen del metro entre el 3 de mayo y ayer?", "¿Y hoy?", "¿Qué dicen del metro hoy?"),
        ("¿Qué dicen del metro?", "¿Qué dice Fajardo de eso?", "¿Qué dice Fajardo de metro?"),
        ("¿Qué propone Petro sobre salud?", "¿Y sobre educación?", "¿Qué propone Petro sobre educación?"),
        ("¿Qué dicen del metro?", "¿Y del hambre?", "¿Qué dicen del hambre?"),
        ("¿Qué dicen del metro?", "¿Por qué?", "¿Por qué, sobre metro?"),
        ("¿Qué dicen del metro?", "¿Qué se dice del hambre en Cali?", "¿Qué se dice del hambre en Cali?"),
        (None, "¿Y Fajardo?", "¿Y Fajardo?"),
    ],
)
def test_what_leans_on_the_question_before_stands_alone(before: str | None, question: str, expected: str) -> None:
    """Another name, another period and a reference take their place in the question before."""
    assert standalone(question, before) == expected

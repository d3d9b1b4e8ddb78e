"""Which form a question asks for, and which sentences have it."""

from __future__ import annotations

import pytest

from rag_service.questions.form import NUMBERS, PERCENTS, PROPOSALS, REASONS, Form, asked_form
from rag_service.text.terms import question_terms


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("¿Qué propone Petro sobre el agua?", PROPOSALS),
        ("¿Qué se propone para las cárceles?", PROPOSALS),
        ("¿Qué medidas anuncia Fico contra los robos?", PROPOSALS),
        ("¿Cómo piensa Fajardo darles trabajo a los jóvenes?", PROPOSALS),
        ("Propuestas para el campo", PROPOSALS),
        ("¿Por que\u0301 no quiere ir a los debates?", REASONS),
        ("¿Cua\u0301ntos votos sacaron?", NUMBERS),
        ("¿Qué porcentaje vive en la pobreza?", PERCENTS),
        ("¿Qué piensan del ELN y de negociar con él?", None),
        ("¿Qué dicen de la propuesta de Petro?", None),
        ("¿Qué se dice del metro?", None),
        ("", None),
    ],
)
def test_a_question_may_ask_for_a_form(question: str, form: Form | None) -> None:
    """Proposals, reasons or numbers, however its accents are composed; what is proposed may be the subject too."""
    assert asked_form(question) is form


@pytest.mark.parametrize(
    ("form", "sentence", "expected"),
    [
        (PROPOSALS, "Bajaremos los impuestos.", True),
        (PROPOSALS, "Bajare\u0301 los impuestos.", True),
        (PROPOSALS, "Vamos a construir el tren.", True),
        (PROPOSALS, "Hay que cerrar las embajadas.", True),
        (PROPOSALS, "2. Crear un fondo de tierras.", True),
        (PROPOSALS, "El tren llegó tarde a la estación.", False),
        (PROPOSALS, "Mañana estaré en Cali.", False),
        (REASONS, "No voy porque gritan.", True),
        (REASONS, "No voy a los debates.", False),
        (NUMBERS, "Serán dos millones de casas.", True),
        (NUMBERS, "Serán muchas casas.", False),
        (PERCENTS, "Uno de cada tres hogares es pobre.", True),
        (PERCENTS, "Hay 21 millones de pobres.", False),
    ],
)
def test_a_sentence_has_a_form_by_its_shape(form: Form, sentence: str, expected: bool) -> None:
    """What will or must be done is a proposal, and not what is or was done."""
    assert form.of(sentence) is expected


def test_a_number_answers_where_it_stands_beside_a_word_of_the_question() -> None:
    """A number in another sentence of the same text tells nothing about what is counted."""
    terms = question_terms("¿Cuántos policías habrá?")
    assert NUMBERS.within("Habrá 6.300 policías más. Nos vemos pronto.", terms)
    assert not NUMBERS.within("Habrá más policías. Nos vemos a las 8.", terms)

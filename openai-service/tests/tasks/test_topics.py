"""Terms of axes in texts: as a run of stems, the longest one first."""

from __future__ import annotations

import pytest

from openai_service.tasks.topics import AXES, Axis, TermMatcher

SLUGS = [axis.slug for axis in AXES]


def axes_in(text: str) -> dict[str, int]:
    """Return how many terms of which axis are in ``text``."""
    counts = dict(zip(SLUGS, TermMatcher(AXES).counts(text), strict=True))
    return {slug: count for slug, count in counts.items() if count}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("La seguridad alimentaria empieza en el campo", {"alimentacion": 2}),
        ("Más seguridad y menos robos, atracos y robos", {"seguridad": 3}),
        ("LAS PENSIONES y la reforma laboral", {"economia": 2}),
        ("#ReformaTributaria", {"economia": 1}),
        ("El metro de Bogotá, no cualquier metro", {"infraestructura": 1}),
        ("Guerrilla", {"seguridad": 1, "paz": 1}),
        ("Nada de eso", {}),
        ("", {}),
    ],
)
def test_terms_are_counted_once_and_the_longest_counts(text: str, found: dict[str, int]) -> None:
    """Case, accents and number do not matter; a term within a longer one is hidden by it."""
    assert axes_in(text) == found


@pytest.mark.parametrize("axis", AXES, ids=SLUGS)
def test_every_term_is_found(axis: Axis) -> None:
    """Each term, alone, is found for its axis."""
    missing = [term for term in axis.terms if axis.slug not in axes_in(term)]
    assert missing == []


@pytest.mark.parametrize(
    "label", ["Empresas", "Congreso", "Defensa", "Prensa", "Recursos", "Ingresos", "Progreso", "Promesas", "Iglesias"]
)
def test_a_label_is_found_in_a_text_that_holds_it(label: str) -> None:
    """Also where its stem ends like a plural, whatever its number."""
    assert TermMatcher([Axis(label, label, ())]).counts(f"Hoy se habla de {label.lower()} en Cali") == [1]


def test_labels_without_terms_count_by_the_words_of_their_names() -> None:
    """A caller's label is found where one of its words is; a label of stop words is found nowhere."""
    matcher = TermMatcher([Axis(name, name, ()) for name in ("hospitales públicos", "buses", "los de siempre")])
    assert matcher.counts("Un bus junto al hospital público") == [2, 1, 0]

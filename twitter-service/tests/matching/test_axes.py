"""Which axes a tweet is about."""

from __future__ import annotations

import pytest

from twitter_service.matching.axes import AXES, axes_in
from twitter_service.matching.phrases import words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("La SEGURIDAD en Bogotá", ["seguridad"]),
        ("más policías, menos crímenes", ["seguridad"]),
        ("vías terciarias y la EDUCACIÓN", ["educacion", "infraestructura"]),
        ("vía @elespectador", []),
        ("la paz y las víctimas", ["paz"]),
        ("capaz de todo", []),
        ("seguridad alimentaria para todos", ["alimentacion"]),
        ("el medio ambiente", ["medioambiente"]),
        ("#SaludPublica y #salud", ["salud"]),
        ("https://x.co/salud @paz", []),
        ("Petro ganó", []),
        ("la guerrilla", ["paz", "seguridad"]),
        ("las EPS", ["salud"]),
        ("", []),
    ],
)
def test_axes(text: str, expected: list[str]) -> None:
    """Axes are found by whole words without case and accents, several in a tweet or none."""
    assert axes_in(words_of(text)) == expected


def test_every_axis_is_found_by_its_own_name() -> None:
    """Each of the ten axes is recognised by each of its terms."""
    assert len(AXES) == 10
    for axis, terms in AXES.items():
        for term in terms.split(", "):
            assert axis in axes_in(words_of(f"Hablemos de {term.upper()} hoy")), term

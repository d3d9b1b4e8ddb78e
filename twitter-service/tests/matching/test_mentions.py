"""The name under which a text mentions an entity."""

from __future__ import annotations

import pytest

from twitter_service.matching.entities import Terms
from twitter_service.matching.mentions import name_in

FICO = Terms("fico", ("FicoGutierrez",), ("Fico", "Fico Gutiérrez"), ("EquipoPorColombia",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voto por fico gutierrez", "Fico Gutiérrez"),
        ("voto por FICO", "Fico"),
        ("voto por @ficogutierrez y @FicoGutierrez", "@ficogutierrez"),
        ("arriba #equipoPorColombia!", "#equipoPorColombia"),
        ("un correo a@ficogutierrez.co", None),
        ("buenos días", None),
    ],
)
def test_name_in(text: str, expected: str | None) -> None:
    """The longest alias is the name, else the handle or hashtag as the text writes it; an author alone is not named."""
    assert name_in(text, FICO) == expected

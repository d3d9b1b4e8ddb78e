"""The name in a handle."""

from __future__ import annotations

import pytest

from rag_service.text.handles import is_in_handle


@pytest.mark.parametrize(
    ("handle", "name", "held"),
    [
        ("petrogustavo", "Petro", True),
        ("ingrodolfohdez", "Hernández", True),
        ("FicoGutierrez", "Gutiérrez", True),
        ("FicoGutierrez", "Fico", True),
        ("soyfico", "fico", True),
        ("magnificos", "Fico", False),
        ("anagil", "Gil", False),
        ("", "Petro", False),
    ],
)
def test_a_handle_holds_the_name_of_its_owner(handle: str, name: str, held: bool) -> None:
    """Long names anywhere, four letters at its beginning or end, shorter ones nowhere; accents make no difference."""
    assert is_in_handle(handle, name) is held

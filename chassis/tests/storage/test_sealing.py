"""Seals: only who knows what a value was made from can find and open it."""

from __future__ import annotations

import pytest

from castor_chassis.storage.sealing import Seal


def test_what_is_sealed_opens_with_its_secret_alone() -> None:
    """Each time it is another value, and its name tells nothing."""
    seal = Seal("¿Qué pasa en Cali?")
    one, two = seal.close(b"Llueve."), seal.close(b"Llueve.")
    assert one != two
    assert seal.open(one) == Seal("¿Qué pasa en Cali?").open(two) == b"Llueve."
    assert Seal("¿Que pasa en Cali?").open(one) is None
    assert Seal("¿Que pasa en Cali?").name != seal.name


@pytest.mark.parametrize("damaged", [None, b"", b"x" * 11, b"x" * 12, b"x" * 40])
def test_what_was_not_sealed_is_nothing(damaged: bytes | None) -> None:
    """Bytes of another version, damaged ones and none count as absent."""
    assert Seal("a").open(damaged) is None


def test_a_changed_byte_is_noticed() -> None:
    """Nobody who can write to the store makes up an answer."""
    sealed = bytearray(Seal("a").close(b"Llueve."))
    sealed[-1] ^= 1
    assert Seal("a").open(bytes(sealed)) is None

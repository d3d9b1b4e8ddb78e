"""Folding for matching is that of the chassis, in a module that the parser of imports can load alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import castor_chassis
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.matching.folding import composed, fold
from twitter_service.tweets.model import read_text


@given(st.text() | st.text(st.sampled_from("aábñÑnoóuüßªº²¿… \u0301\u0303ΐŉİ")))
def test_it_folds_as_the_chassis_does(text: str) -> None:
    """Whatever the text is, both folds agree."""
    assert fold(text) == castor_chassis.fold(text, keep_enye=False)
    assert composed(text) == castor_chassis.normal_form("NFC", text)


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73", "\uff9e\u0301", "\u05ae\u0591"])
def test_it_parts_long_runs_of_marks_as_the_chassis_does(marks: str) -> None:
    """A tweet of nothing but marks has the text that the chassis would give it, and is folded as there."""
    text = "Petr" + "o" + marks * 900
    assert composed(text) == read_text(text) == castor_chassis.normal_form("NFC", text)
    assert fold(text) == castor_chassis.fold(text, keep_enye=False)
    assert "\u034f" in composed(text)


@pytest.mark.parametrize("first", range(0, 0x20000, 0x4000))
def test_it_folds_every_character_as_the_chassis_does(first: int) -> None:
    """Both folds agree on each character by itself."""
    for character in map(chr, range(first, first + 0x4000)):
        assert fold(character) == castor_chassis.fold(character, keep_enye=False)


@pytest.mark.parametrize("text", ["voto por Peñalosa", "voto por Pen\u0303alosa", "VOTO POR PEÑALOSA", "penalosa no"])
def test_a_name_is_found_however_its_letters_are_composed(text: str) -> None:
    """An alias with an ñ matches composed and decomposed text, in capitals and without the key."""
    assert Matcher([Terms("penalosa", (), ("Peñalosa",), ())]).entities_of("ana", text) == {"penalosa"}


def test_the_parser_does_not_load_the_chassis() -> None:
    """The process that parses imports stays small."""
    code = "import sys, twitter_service.imports.parser; print('castor_chassis' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "False"

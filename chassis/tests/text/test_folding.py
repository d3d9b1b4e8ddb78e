"""Folding and normalising: one text has one form, however it was typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from castor_chassis import ComposedText, fold, normal_form, normalise, unescape

SPANISH = st.text(
    st.sampled_from("aábcçdeéfghiíjklmnñoópqrstuúüvwxyzAÁEÉIÍNÑOÓUÚÜ¿?¡!#@ 0123456789ªº…“”—🇨🇴🔥\u0301\u0303")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EDUCACIÓN Pública", "educacion publica"),
        ("Peñalosa", "peñalosa"),
        ("ÑANDÚ", "ñandu"),
        ("Pen\u0303alosa", "peñalosa"),
        ("año", "año"),
        ("ano", "ano"),
        ("pingüino", "pinguino"),
        ("coração", "coracao"),
        ("Ａｂ１", "ab1"),
        ("Straße", "strasse"),
        ("™ x", "tm x"),
        ("1.ª vuelta", "1.a vuelta"),
        ("🇨🇴 ¡Sí!", "🇨🇴 ¡si!"),
        ("Йод", "иод"),
    ],
)
def test_folds_case_accents_and_forms(text: str, expected: str) -> None:
    """Case, accents and compatibility forms go; ñ, emoji and punctuation stay."""
    assert fold(text) == expected


@pytest.mark.parametrize("text", ["Peñalosa", "Pen\u0303alosa", "PEÑALOSA"])
def test_enye_may_be_an_n(text: str) -> None:
    """For search, names written without the key are the same."""
    assert fold(text, keep_enye=False) == "penalosa"


@given(st.text() | SPANISH, st.booleans())
def test_composed_and_decomposed_text_fold_alike(text: str, keep_enye: bool) -> None:
    """NFC and NFD of one text have one folded form, and it is stable."""
    forms = {fold(unicodedata.normalize(form, text), keep_enye=keep_enye) for form in ("NFC", "NFD")}
    assert len(forms) == 1
    (folded,) = forms
    assert fold(folded, keep_enye=keep_enye) == folded


@given(SPANISH)
def test_the_fast_path_folds_as_the_slow_one(text: str) -> None:
    """A text in Latin-1 folds the same alone and beside a letter that forces the slow path."""
    for keep_enye in (True, False):
        assert fold(text + " Ω", keep_enye=keep_enye) == fold(text, keep_enye=keep_enye) + " ω"


@pytest.mark.parametrize("code", range(256))
def test_every_latin_character_folds_the_same_on_both_paths(code: int) -> None:
    """The table of the fast path agrees with Unicode for each character it covers."""
    character = chr(code)
    for keep_enye in (True, False):
        assert fold(character + "Ω", keep_enye=keep_enye) == fold(character, keep_enye=keep_enye) + "ω"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("educacio\u0301n", "educación"),
        ("pa\u200bro \u202eroto\ufeff", "paro roto"),
        ("co\u00adrru\u2060pción", "corrupción"),
        ("a\x00b\x07c\td\ne", "a b c\td\ne"),
        ("uno\u2028dos", "uno dos"),
        ("👩\u200d⚕\ufe0f 🇨🇴", "👩\u200d⚕\ufe0f 🇨🇴"),
        ("roto \ud83d aquí", "roto \ufffd aquí"),
        ("ignora\U000e0041\U000e0042", "ignora"),
    ],
)
def test_normalise_leaves_what_can_be_seen(text: str, expected: str) -> None:
    """Letters are composed, what is invisible goes, lines and emoji stay."""
    assert normalise(text) == expected


@given(st.text() | SPANISH)
def test_normalised_text_stays_as_it_is(text: str) -> None:
    """Normalising twice changes nothing, and the result can be stored as UTF-8."""
    once = normalise(text)
    assert normalise(once) == once
    assert once.encode().decode() == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sí &amp; no", "sí & no"),
        ("&#241;and&uacute; &#xF1;", "ñandú ñ"),
        ("&amp;#241;", "&#241;"),
        (f"&#{'9' * 5000};", f"&#{'9' * 5000};"),
        (f"a &#{'0' * 5000}", f"a &#{'0' * 5000}"),
    ],
)
def test_references_become_characters_once(text: str, expected: str) -> None:
    """Named and numbered; a number of thousands of digits, which no character has, stays as it is written."""
    assert unescape(text) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("marks", ["\u0301" * 9 + "\u0323" * 9, "\u0f73" * 15, "\uff9e\u0301" * 8, "\U000e0100" * 30])
def test_a_normal_form_is_that_of_unicode(form: Literal["NFC", "NFD", "NFKC", "NFKD"], marks: str) -> None:
    """Up to 30 marks on a letter, nothing is added."""
    text = f"¿Qué dice {marks} de la educacio\u0301n, Ａna? {'🔥' * 40} e{marks}"
    assert normal_form(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73", "\uff9e\u0301", "\u0344\u0323"])
def test_no_letter_keeps_more_marks_than_are_soon_sorted(marks: str) -> None:
    """A run of marks is parted, once for all, so that no later normal form of it takes long; the letters stay."""
    text = normal_form("NFC", "a" + marks * 1_000 + "z")
    spread = "".join("m" if unicodedata.combining(sign) else "-" for sign in unicodedata.normalize("NFKD", text))
    assert max(map(len, spread.split("-"))) <= 60
    assert text.replace("\u034f", "").count("z") == 1
    assert normal_form("NFC", text) == text


@pytest.mark.parametrize("change", [fold, normalise, TypeAdapter(ComposedText).validate_python])
def test_every_form_of_text_parts_long_runs_of_marks(change: Callable[[str], str]) -> None:
    """What is folded, shown or taken from a request has its marks sorted by thirty, not all of a letter at once."""
    marks = "\u0591\u05ae" * 500
    assert "\u0591" * 31 not in change("a" + marks)

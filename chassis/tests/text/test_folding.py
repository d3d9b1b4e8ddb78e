"""Folding and normalising: one text has one form, however it was typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castor_chassis import fold, normalise, unescape

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

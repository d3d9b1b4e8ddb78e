"""Quotes are found word for word, and only those that stand there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag_service.text.verbatim import VerbatimText

_texts = st.text(alphabet=st.sampled_from('aáe\u0301n\u0303ñ \n\u00a0.,"«»[]:1퀀ᄀ\u1161\u11a8🇨\u200d<&;'), max_size=60)


def test_a_whole_short_document_may_be_quoted() -> None:
    """The least length is there against empty proofs, not against short tweets."""
    assert VerbatimText("¡No!").find("¡No!") == (0, 4)
    assert VerbatimText("¡No! y no").find("¡No!") is None


NUMBERS = (
    "El presupuesto de salud sube a $1.250.000 millones en 2027, anunció la alcaldesa.",
    "La encuesta da 38.5 % a la candidata Lucía Prado, con margen de 2.1 puntos.",
    "Acta núm. 45.678: los jurados de Soledad contaron 12.345 votos por la alcaldesa.",
    "El ex-presidente pagó 1 250 000 pesos el 12/05/2022 a @ana_luz; ver https://t.co/ab-cd 👨‍👩‍👧 fin",
)


@pytest.mark.parametrize(
    ("number", "quote"),
    [
        (0, "El presupuesto de salud sube a $1"),
        (0, "El presupuesto de salud sube a $1.250"),
        (0, "El presupuesto de salud sube a $1.250.000"),
        (0, "250.000 millones en 2027"),
        (1, "La encuesta da 38"),
        (1, "La encuesta da 38.5"),
        (1, "5 % a la candidata"),
        (2, "678: los jurados de Soledad"),
        (2, "los jurados de Soledad contaron 12"),
        (3, "presidente pagó"),
        (3, "El ex-presidente pagó 1 250"),
        (3, "05/2022 a @ana_luz"),
        (3, "el 12/05/2022 a @ana"),
        (3, "ver https://t.co/ab"),
        (3, "👩‍👧 fin"),
    ],
)
def test_a_quote_cuts_no_number_word_address_or_emoji(number: int, quote: str) -> None:
    """A quote that begins or ends inside a number with its unit, a word, a handle, a URL or an emoji is none."""
    assert quote.replace(" ", "") in NUMBERS[number].replace(" ", "")
    assert VerbatimText(NUMBERS[number]).find(quote) is None


@pytest.mark.parametrize(
    "quote",
    ["sube a $1.250.000 millones", "La encuesta da 38.5 %", "contaron 12.345 votos", "pagó 1 250 000 pesos el"],
)
def test_whole_numbers_can_be_quoted(quote: str) -> None:
    """A number with its unit is quoted as a whole."""
    assert any(VerbatimText(text).find(quote) for text in NUMBERS)


@pytest.mark.parametrize(
    ("text", "dropped", "kept"),
    [
        ("No subiremos los impuestos.", "subiremos los impuestos", "No subiremos los impuestos"),
        ("Es falso que cerremos el hospital.", "cerremos el hospital", "Es falso que cerremos el hospital"),
        ("Nadie en el equipo pactó con ellos", "pactó con ellos", "Nadie en el equipo pactó con ellos"),
        ("Pactaremos con ellos jamás.", "Pactaremos con ellos", "Pactaremos con ellos jamás"),
        ("No habrá 1.250 hospitales nuevos", "hospitales nuevos", "No habrá 1.250 hospitales nuevos"),
        ("No mentimos, bajaremos el IVA.", "mentimos, bajaremos", "bajaremos el IVA"),
    ],
)
def test_a_negation_is_not_left_out(text: str, dropped: str, kept: str) -> None:
    """What a clause denies cannot be quoted as if it were said; another clause of the sentence can."""
    assert VerbatimText(text).find(dropped) is None
    assert VerbatimText(text).find(kept) is not None


def test_what_cannot_be_seen_and_how_letters_are_styled_does_not_matter() -> None:
    """Soft hyphens, characters without width, escapes and styled letters of the text need not be copied."""
    text = "La sal­ud &amp; la vi​da 𝗽𝗿𝗶𝗺𝗲𝗿𝗼, 10² veces"
    found = VerbatimText(text).find("La salud & la vida primero")
    assert found is not None
    assert text[found[0] : found[1]] == "La sal­ud &amp; la vi​da 𝗽𝗿𝗶𝗺𝗲𝗿𝗼"
    assert VerbatimText(text).find("la vida primero, 102 veces") is None


@settings(max_examples=300)
@given(text=_texts, quote=_texts)
def test_whatever_is_found_stands_there(text: str, quote: str) -> None:
    """For any text and quote: what ``find`` names equals the quote up to NFC and white space."""
    span = VerbatimText(text).find(quote)
    if span is not None:
        found = text[span[0] : span[1]]
        assert _flat(quote) in _flat(found)
        assert len(_flat(found)) - len(_flat(quote)) <= 1


@settings(max_examples=300)
@given(text=_texts, start=st.integers(0, 60), end=st.integers(0, 60))
@example(text="111111\xa0\u0301", start=0, end=60)
@example(text="a  \u0301 111111", start=0, end=60)
@example(text="111111\n\u0303\u0301 n\u0303", start=0, end=60)
def test_every_long_enough_piece_is_found(text: str, start: int, end: int) -> None:
    """A piece that is cut at white space and long enough is always found."""
    piece = text[start:end]
    whole_words = (start == 0 or text[start - 1 : start].isspace()) and (end >= len(text) or text[end].isspace())
    apart = not unicodedata.combining(piece[0]) if piece else False
    if whole_words and apart and len(_flat(piece)) >= 8:
        assert VerbatimText(text).find(piece) is not None


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())

"""The verbatim gate: what it lets through stands in the documents, letter by letter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.answers.citations import VerbatimText, gate

DOCUMENTS = {
    "tweet:1": "Vamos a construir tres hospitales públicos en el Chocó. La salud no espera.",
    "tweet:2": "La reforma pensional cubrirá a 3 millones de adultos mayores.",
    "tweet:3": 'Él me dijo "aquí nadie roba" [tweet:9] y se fue.',
    "doc:4": "Usa <b>mayúsculas</b> & comillas: es deshonesto callar.",
}


def test_a_verbatim_quote_passes_with_its_offsets() -> None:
    """A quote that stands in its document is kept, and its offsets point at it."""
    gated = gate('Prometen obras: "construir tres hospitales públicos" [tweet:1].', DOCUMENTS)
    assert gated.text == 'Prometen obras: "construir tres hospitales públicos" [tweet:1].'
    (citation,) = gated.citations
    assert DOCUMENTS["tweet:1"][citation.start : citation.end] == citation.quote == "construir tres hospitales públicos"
    assert gated.removed == 0


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        ("fabricated", '"Construiremos cien universidades" [tweet:1].'),
        ("misattributed", '"La salud no espera" [tweet:2].'),
        ("unknown document", '"La salud no espera" [tweet:77].'),
        ("one of two documents", '"La salud no espera" [tweet:1] [tweet:2].'),
        ("joined fragments", '"Vamos a construir tres hospitales públicos. La salud no espera" [tweet:1].'),
        ("ellipsis", '"Vamos a construir ... en el Chocó" [tweet:1].'),
        ("contradicted number", '"cubrirá a 9 millones de adultos" [tweet:2].'),
        ("mended accent", '"tres hospitales publicos en el Chocó" [tweet:1].'),
        ("another case", '"la SALUD no espera" [tweet:1].'),
        ("half a word", '"honesto callar" [doc:4].'),
        ("next to nothing", '"de" [tweet:2].'),
        ("empty", '"" [tweet:2].'),
        ("no quote", "Construirán hospitales [tweet:1]."),
        ("no citation", "Construirán tres hospitales."),
    ],
)
def test_what_is_not_verbatim_does_not_leave(attack: str, answer: str) -> None:
    """Neither the false quote nor the sentence that it carried is in what leaves."""
    gated = gate(answer, DOCUMENTS)
    assert (gated.text, gated.citations) == ("", []), attack


def test_only_the_false_sentence_is_removed() -> None:
    """A fabricated quote takes its own sentence along and leaves the proved one."""
    answer = 'Sobre salud: "La salud no espera" [tweet:1]. Sobre pensiones: "subirá a 99 años" [tweet:2].'
    gated = gate(answer, DOCUMENTS)
    assert gated.text == 'Sobre salud: "La salud no espera" [tweet:1].'
    assert gated.removed == 1


def test_prose_around_a_true_quote_must_not_add_anything_checkable() -> None:
    """Of a sentence with a number or a quotation that no document holds, only the true quote is left."""
    bare = '"La salud no espera" [tweet:1].'
    assert gate('El 80 % opina: "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert gate('Dijo "todos roban" y luego "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert gate('Cubre a 3 millones: "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert gate('En 2026: "La salud no espera" [tweet:1].', DOCUMENTS, "¿Y en 2026?").text.startswith("En 2026")


def test_a_good_quote_survives_a_bad_one_in_the_same_sentence() -> None:
    """The sentence's prose goes, because it spoke of both."""
    answer = 'Dicen "La salud no espera" [tweet:1] y "cien universidades gratis" [tweet:2].'
    assert gate(answer, DOCUMENTS).text == '"La salud no espera" [tweet:1].'


def test_several_good_quotes_keep_their_sentence() -> None:
    """A sentence in which every quote holds leaves as it was written."""
    answer = 'Dicen "La salud no espera" [tweet:1] y “La reforma pensional” [tweet:2], según los documentos.'
    expected = 'Dicen "La salud no espera" [tweet:1] y "La reforma pensional" [tweet:2], según los documentos.'
    assert gate(answer, DOCUMENTS).text == expected


def test_a_document_that_holds_quotation_marks_and_brackets_can_be_quoted() -> None:
    """Marks inside of a document's text do not end the quote, and what looks like a citation in it is none."""
    gated = gate('"Él me dijo "aquí nadie roba"" [tweet:3].', DOCUMENTS)
    assert [citation.quote for citation in gated.citations] == ['Él me dijo "aquí nadie roba"']
    whole = gate(f'"{DOCUMENTS["tweet:3"]}" [tweet:3]', DOCUMENTS)
    assert all(citation.id == "tweet:3" for citation in whole.citations)


def test_a_quote_may_carry_the_escapes_of_the_fence() -> None:
    """A model that copies ``&lt;`` as it saw it quotes the stored ``<``."""
    gated = gate('"Usa &lt;b&gt;mayúsculas&lt;/b&gt; &amp; comillas" [doc:4].', DOCUMENTS)
    assert [citation.quote for citation in gated.citations] == ["Usa <b>mayúsculas</b> & comillas"]


def test_composition_and_white_space_do_not_matter_and_offsets_are_of_the_stored_text() -> None:
    """A stored text in decomposed form with odd spaces is found by a tidy quote, and returned as it is stored."""
    stored = unicodedata.normalize("NFD", "¡Atención!  La\u00a0educación\n\tpública") + " es un derecho 🇨🇴 de niñas."
    gated = gate('"La educación pública es un derecho 🇨🇴" [a].', {"a": stored})
    (citation,) = gated.citations
    assert stored[citation.start : citation.end] == citation.quote
    assert unicodedata.normalize("NFC", " ".join(citation.quote.split())) == "La educación pública es un derecho 🇨🇴"


def test_a_whole_short_document_may_be_quoted() -> None:
    """The least length is there against empty proofs, not against short tweets."""
    assert VerbatimText("¡No!").find("¡No!") == (0, 4)
    assert VerbatimText("¡No! y no").find("¡No!") is None


_texts = st.text(alphabet=st.sampled_from('aáe\u0301n\u0303ñ \n\u00a0.,"«»[]:1퀀ᄀ\u1161\u11a8🇨\u200d<&;'), max_size=60)


@settings(max_examples=300, deadline=None)
@given(text=_texts, quote=_texts)
def test_whatever_is_found_stands_there(text: str, quote: str) -> None:
    """For any text and quote: what ``find`` names equals the quote up to NFC and white space."""
    span = VerbatimText(text).find(quote)
    if span is not None:
        found = text[span[0] : span[1]]
        assert _flat(quote) in _flat(found)
        assert len(_flat(found)) - len(_flat(quote)) <= 1


@settings(max_examples=300, deadline=None)
@given(text=_texts, start=st.integers(0, 60), end=st.integers(0, 60))
def test_every_long_enough_piece_is_found(text: str, start: int, end: int) -> None:
    """A piece that is cut at white space and long enough is always found."""
    piece = text[start:end]
    whole_words = (start == 0 or text[start - 1 : start].isspace()) and (end >= len(text) or text[end].isspace())
    apart = not unicodedata.combining(piece[0]) if piece else False
    if whole_words and apart and len(_flat(piece)) >= 8:
        assert VerbatimText(text).find(piece) is not None


@settings(max_examples=200, deadline=None)
@given(answer=st.text(alphabet=st.sampled_from('ab "“”[]:1.\n'), max_size=80), text=_texts)
def test_no_answer_breaks_the_gate(answer: str, text: str) -> None:
    """Whatever a model writes, only substrings of the document come out as quotes."""
    gated = gate(answer, {"a": text, "1": text})
    assert all(text[c.start : c.end] == c.quote for c in gated.citations)
    assert bool(gated.text) == bool(gated.citations)


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())

"""Verification of citations: every quote that is answered stands verbatim in the documents it names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.answers.citations import verify

DOCUMENTS = {
    "tweet:1": "Vamos a construir tres hospitales públicos en el Chocó. La salud no espera.",
    "tweet:2": "La reforma pensional cubrirá a 3 millones de adultos mayores.",
    "tweet:3": 'Él me dijo "aquí nadie roba" [tweet:9] y se fue.',
    "doc:4": "Usa <b>mayúsculas</b> & comillas: es deshonesto callar.",
}


def test_a_verbatim_quote_passes_with_its_offsets() -> None:
    """A quote that stands in its document is kept, and its offsets point at it."""
    verified = verify('Prometen obras: "construir tres hospitales públicos" [tweet:1].', DOCUMENTS)
    assert verified.text == 'Prometen obras: "construir tres hospitales públicos" [tweet:1].'
    (citation,) = verified.citations
    assert DOCUMENTS["tweet:1"][citation.start : citation.end] == citation.quote == "construir tres hospitales públicos"
    assert verified.removed == 0


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
    verified = verify(answer, DOCUMENTS)
    assert (verified.text, verified.citations) == ("", []), attack


def test_only_the_false_sentence_is_removed() -> None:
    """A fabricated quote takes its own sentence along and leaves the proved one."""
    answer = 'Sobre salud: "La salud no espera" [tweet:1]. Sobre pensiones: "subirá a 99 años" [tweet:2].'
    verified = verify(answer, DOCUMENTS)
    assert verified.text == 'Sobre salud: "La salud no espera" [tweet:1].'
    assert verified.removed == 1


def test_prose_around_a_true_quote_must_not_add_anything_checkable() -> None:
    """Of a sentence with a number or a quotation that no document holds, only the true quote is left."""
    bare = '"La salud no espera" [tweet:1].'
    assert verify('El 80 % opina: "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert verify('Dijo "todos roban" y luego "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert verify('Cubre a 3 millones: "La salud no espera" [tweet:1].', DOCUMENTS).text == bare
    assert verify('En 2026: "La salud no espera" [tweet:1].', DOCUMENTS, "¿Y en 2026?").text.startswith("En 2026")


@pytest.mark.parametrize(
    ("prose", "is_kept"),
    [
        ("Federico Gutiérrez promete: ", True),
        ("Según Gutiérrez, ", True),
        ("Íngrid Betancourt también lo dijo: ", False),
        ("Gustavo Petro promete: ", False),
        ("Según petrogustavo, ", False),
    ],
)
def test_words_are_said_of_their_author_alone(prose: str, is_kept: bool) -> None:
    """An author may be called by one of several names of the handle; whom the question names is no author by that."""
    question = "¿Qué promete Gustavo Petro sobre salud, y qué Íngrid Betancourt?"
    authors = {"tweet:1": "FicoGutierrez", "tweet:2": "petrogustavo"}
    verified = verify(f'{prose}"La salud no espera" [tweet:1].', DOCUMENTS, question, authors)
    assert verified.text.startswith(prose) is is_kept
    assert verified.citations


@pytest.mark.parametrize(("quote", "is_kept"), [("Bajaremos el IVA", False), ("No más corrupción", True)])
def test_what_a_quote_does_not_deny_is_not_denied(quote: str, is_kept: bool) -> None:
    """That the document denies something else is no reason to deny what it is quoted with."""
    documents = {"tweet:1": "No más corrupción en el país. Bajaremos el IVA este año."}
    verified = verify(f'No es así: "{quote}" [tweet:1].', documents)
    assert verified.text.startswith("No es") is is_kept
    assert verified.citations


def test_a_good_quote_survives_a_bad_one_in_the_same_sentence() -> None:
    """The sentence's prose goes, because it spoke of both."""
    answer = 'Dicen "La salud no espera" [tweet:1] y "cien universidades gratis" [tweet:2].'
    assert verify(answer, DOCUMENTS).text == '"La salud no espera" [tweet:1].'


def test_several_good_quotes_keep_their_sentence() -> None:
    """A sentence in which every quote holds leaves as it was written."""
    answer = 'Dicen "La salud no espera" [tweet:1] y “La reforma pensional” [tweet:2], según los documentos.'
    expected = 'Dicen "La salud no espera" [tweet:1] y "La reforma pensional" [tweet:2], según los documentos.'
    assert verify(answer, DOCUMENTS).text == expected


def test_a_document_that_holds_quotation_marks_and_brackets_can_be_quoted() -> None:
    """Marks inside of a document's text do not end the quote, and what looks like a citation in it is none."""
    verified = verify('"Él me dijo "aquí nadie roba"" [tweet:3].', DOCUMENTS)
    assert [citation.quote for citation in verified.citations] == ['Él me dijo "aquí nadie roba"']
    whole = verify(f'"{DOCUMENTS["tweet:3"]}" [tweet:3]', DOCUMENTS)
    assert all(citation.id == "tweet:3" for citation in whole.citations)


def test_a_quote_may_carry_the_escapes_of_the_prompt() -> None:
    """A model that copies ``&lt;`` as it saw it quotes the stored ``<``."""
    verified = verify('"Usa &lt;b&gt;mayúsculas&lt;/b&gt; &amp; comillas" [doc:4].', DOCUMENTS)
    assert [citation.quote for citation in verified.citations] == ["Usa <b>mayúsculas</b> & comillas"]


def test_composition_and_white_space_do_not_matter_and_offsets_are_of_the_stored_text() -> None:
    """A stored text in decomposed form with odd spaces is found by a tidy quote, and returned as it is stored."""
    stored = unicodedata.normalize("NFD", "¡Atención!  La\u00a0educación\n\tpública") + " es un derecho 🇨🇴 de niñas."
    verified = verify('"La educación pública es un derecho 🇨🇴" [a].', {"a": stored})
    (citation,) = verified.citations
    assert stored[citation.start : citation.end] == citation.quote
    assert unicodedata.normalize("NFC", " ".join(citation.quote.split())) == "La educación pública es un derecho 🇨🇴"


_texts = st.text(alphabet=st.sampled_from('aáe\u0301n\u0303ñ \n\u00a0.,"«»[]:1퀀ᄀ\u1161\u11a8🇨\u200d<&;'), max_size=60)


@settings(max_examples=200)
@given(answer=st.text(alphabet=st.sampled_from('ab "“”[]:1.\n'), max_size=80), text=_texts)
def test_whatever_a_model_writes_only_stored_text_is_quoted(answer: str, text: str) -> None:
    """Whatever a model writes, only substrings of the document come out as quotes."""
    verified = verify(answer, {"a": text, "1": text})
    assert all(text[c.start : c.end] == c.quote for c in verified.citations)
    assert bool(verified.text) == bool(verified.citations)


@pytest.mark.parametrize("hostile", ["1" * 60_000, "1." * 10_000, "." * 60_000 + "x", "\n" * 60_000, "de " * 10_000])
def test_a_text_of_signs_is_soon_verified(hostile: str) -> None:
    """Around a quote and in its document; the quote stays."""
    document = f"La salud no espera. {hostile}"
    verified = verify(f'{hostile}: "La salud no espera" [a] {hostile}', {"a": document})
    assert [citation.quote for citation in verified.citations] == ["La salud no espera"]
    assert "La salud no espera" in verified.text


def test_a_number_is_that_of_what_it_counts() -> None:
    """Also in a document that holds numbers of nothing beside it."""
    documents = {"a": "En 2018, 1.5, hay 12 hospitales y 300 escuelas."}
    told = [
        verify(f'Hay {number} escuelas: "hay 12 hospitales y 300 escuelas" [a].', documents) for number in (300, 12)
    ]
    assert [one.text.startswith("Hay") for one in told] == [True, False]

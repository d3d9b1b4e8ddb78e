"""Spanish sentences: what ends one, and what does not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.text.sentences import sentences

CASES = (
    ("Sube a $1.250.000 millones en 2027.", "Lo anunció el Dr. Pérez.", "¡Bravo!", "🎉 Sí..."),
    ("Acta núm. 45.678: hubo 12.345 votos.", "Según el art. 5 de la Ley.", "No.", "Eso no."),
    ("Acta Núm. 45 y pág. 3.", "La Sra. Gómez y el Ing. Hernández van.", "Fue el No. 4."),
    ("Ver https://t.co/abc.def?x=1.", "Luego @ana.b dijo: hola.Vamos ya."),
    ("Llegó a las 8 a.m. y se fue.", "EE.UU. apoya a J. F. Kennedy.", "Fin"),
    ("línea uno\nsigue la línea", "Otra línea", "- punto uno", "- punto dos 👨‍👩‍👧.", "Fin"),
    ("Dice que... quizá sí…", "Pero no.", "«¡Basta!» gritó.", "Corte 3.5 %.", "¿Y tú?", "Yo no."),
    ("¿Qué pasó en Bogotá D.C. ayer?", "Nada, etc."),
    ("Tres ejes: 1. Ciencia, 2. Crédito a las pymes y 3. Compras.", "Son las 3.", "Ya."),
    ("1. Uno, 20. no.", "Otro 7.", "2. Dos."),
    ("¡No más!!!", "¡Ya!", "#Elecciones2022 🇨🇴"),
)


@pytest.mark.parametrize("pieces", CASES, ids=lambda pieces: pieces[0][:20])
def test_sentences_end_where_a_reader_ends_them(pieces: tuple[str, ...]) -> None:
    """Numbers, abbreviations, initials, addresses, handles and emoji are not cut; final signs and new lines cut."""
    for joint in (" ", "\n"):
        text = joint.join(pieces)
        if joint == " " and any(piece.startswith(("-", "Otra", "sigue")) for piece in pieces):
            continue
        assert [text[start:end] for start, end in sentences(text)] == list(pieces)


@given(st.text(alphabet=st.sampled_from("aB1.,!?¿… \n🇨🇴á/:@"), max_size=60))
def test_no_letter_is_lost_or_doubled(text: str) -> None:
    """The sentences of any text hold all of it but white space, in order."""
    found = list(sentences(text))
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    assert all(one[1] <= other[0] for one, other in pairwise(found))


@pytest.mark.parametrize("text", [".", "…", "\n ", "a\n", ". ", "a .\n", "sr. ", " "])
def test_a_hostile_text_is_cut_in_time_linear_in_its_length(text: str) -> None:
    """200,000 characters that repeat what ends a sentence are cut within the time limit of tests."""
    whole = (text * 200_000)[:200_000] + "z"
    pieces = "".join(whole[start:end] for start, end in sentences(whole))
    assert "".join(pieces.split()) == "".join(whole.split())

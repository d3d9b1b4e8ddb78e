"""Quotes: verbatim, on the subject, diverse, and none where there is no answer."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.extractive.passages import Document, Prompt
from openai_service.extractive.ranker import HEADER, NO_ANSWER, NO_DOCUMENTS, answer, best_passages, words

DOCUMENTS = (
    Document("t1", "Proponemos una reforma a la salud que elimine las EPS. Nos vemos en Cali."),
    Document("t2", "La reforma tributaria golpea a la clase media, dijo Rueda en Medellín."),
    Document("t3", "Qué lindo día para salir a caminar con la familia por el parque."),
    Document("t4", "RT @ana: Proponemos una reforma a la salud que elimine las EPS."),
    Document("t5", "El candidato visitó Barranquilla y habló de empleo para los jóvenes."),
)
PIECES = st.sampled_from([*'aeiou rtps.!?"[]\n', "petro ", "salud ", "Reforma "])
LINE = re.compile(r'- "(.*)" \[([^\]]+)\]')


def quoted(question: str, fast_encoder: StaticEncoder | None, documents: tuple[Document, ...] = DOCUMENTS) -> list[str]:
    """Ids of the documents that are quoted, best first."""
    return [p.document_id for p in best_passages(Prompt(question, documents), fast_encoder)]


def test_the_best_quote_is_on_the_subject(fast_encoder: StaticEncoder) -> None:
    """Each question is answered first from the document that treats it, also in other forms of its words."""
    assert quoted("¿Qué propone sobre las reformas de la salud?", fast_encoder)[0] in ("t1", "t4")
    assert quoted("¿Qué se dice de los impuestos y la reforma tributaria?", fast_encoder)[0] == "t2"
    assert quoted("¿Hay propuestas de empleos para la juventud o los jovenes?", fast_encoder)[0] == "t5"


def test_copies_are_quoted_once(fast_encoder: StaticEncoder) -> None:
    """A retweet of a quoted text is not quoted beside it."""
    assert len({"t1", "t4"} & set(quoted("¿Qué reforma de la salud y las EPS proponen?", fast_encoder))) == 1


def test_unanswerable_question_gets_no_quote(fast_encoder: StaticEncoder) -> None:
    """Documents that do not treat the question are not quoted, and the answer says so."""
    prompt = Prompt("¿Cuál es la capital de Mongolia?", DOCUMENTS)
    assert list(answer(prompt, fast_encoder)) == [NO_ANSWER]


def test_no_documents_is_said_plainly() -> None:
    """Without documents nothing is made up."""
    assert list(answer(Prompt("¿Quién gana?", ()), None)) == [NO_DOCUMENTS]


def test_words_are_folded_and_hashtags_split() -> None:
    """Accents, case, number, gender and camel case do not keep words apart."""
    assert words("CANDIDATOS candidata") == words("candidato Candidatas")
    assert words("#PetroPresidente") == words("petro presidente")


@settings(max_examples=60)
@given(
    st.lists(st.lists(PIECES, max_size=60).map("".join), max_size=8),
    st.sampled_from(["¿Qué dice Petro?", "reforma salud", '"petro" [1]', ""]),
)
def test_every_quote_stands_verbatim_in_its_document(texts: list[str], question: str) -> None:
    """Whatever is given, each line of an answer is a quote that its document contains, and nothing else is said."""
    documents = tuple(Document(str(number), text) for number, text in enumerate(texts))
    head, *lines = "".join(answer(Prompt(question, documents), None)).split("\n")
    assert head in (HEADER, NO_ANSWER, NO_DOCUMENTS)
    assert (head == HEADER) == bool(lines)
    for line in lines:
        match = LINE.fullmatch(line)
        assert match is not None
        assert match[1] in texts[int(match[2])]

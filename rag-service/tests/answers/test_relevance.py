"""Which hits are about the question, by words and by meaning."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from rag_service.answers.relevance import CALIBRATED, ENOUGH_TO_STAND_OUT, relevance_of
from rag_service.documents.model import Document
from rag_service.retrieval.model import Hit
from rag_service.text.terms import question_terms

NOW = datetime(2022, 5, 1, tzinfo=UTC)
SEEN = {"metro": 20, "elevado": 20, "Bogotá": 300, "Gaviria": 20, "César": 40, "Pablo": 10, "Escobar": 2}

PARTS = ("pueblos indígenas", "afrodescendientes")


def _hit(text: str, similarity: float | None, model: str = f"{CALIBRATED}@1") -> Hit:
    document = Document(
        id=text,
        published_at=NOW,
        source="prensa",
        author=None,
        title=None,
        url=None,
        text=text,
        entities=[],
        metadata={},
        stored_at=NOW,
        updated_at=NOW,
        embedding_model=model,
    )
    return Hit(document, 1.0, 1, 1, similarity)


def _about(question: str, *hits: tuple[str, float | None]) -> list[str]:
    terms = question_terms(question)
    found = relevance_of(terms, {term.word: SEEN.get(term.word, 0) for term in terms}, [_hit(*hit) for hit in hits])
    return [hit.document.text for hit in found.hits]


@pytest.mark.parametrize(
    ("hits", "about"),
    [
        ([("El metro elevado", 0.6), ("Trenes sobre columnas", 0.55), ("Una torta dulce", 0.2)], ["metro", "Trenes"]),
        ([("El metro elevado", 0.6), ("Al metro y al elevado precio de la torta", 0.05)], ["metro"]),
        ([("Trenes sobre columnas", 0.3), ("Una torta dulce", 0.29)], []),
        ([("El metro elevado", None), ("Una torta dulce", None)], ["metro"]),
        ([("Una torta dulce", 0.5), ("El metro elevado", None)], ["Una torta dulce", "metro"]),
    ],
    ids=["near without the words", "the words, far away", "nothing near", "without vectors", "one without a cosine"],
)
def test_meaning_and_words_decide_together(hits: list[tuple[str, float | None]], about: list[str]) -> None:
    """What is nearest counts whatever its words, what is far does not; where nothing is near, words are needed."""
    found = _about("¿Qué dicen del metro elevado?", *hits)
    assert len(found) == len(about)
    assert all(any(word in text for text in found) for word in about)


def test_cosines_of_another_model_are_read_by_those_that_hold_all_words() -> None:
    """Their scale is unknown: what is as near as half of those counts too, and nothing does without them."""
    held = [_hit(f"El metro tarda {number}", 0.8 + number / 100, "other@1") for number in range(3)]
    terms = question_terms("¿Qué dicen del metro?")
    near, far = _hit("Trenes sobre columnas", 0.82, "other@1"), _hit("Una torta dulce", 0.79, "other@1")
    assert relevance_of(terms, {"metro": 20}, [*held, near, far]).hits == [*held, near]
    assert relevance_of(terms, {"metro": 20}, [near, far]).hits == []


def test_what_is_near_to_the_surest_is_about_it() -> None:
    """Of two texts without the words, as near to the question, the one that says what the surest say is about it."""
    said = [_hit(f"El metro elevado tarda {number}", 0.5) for number in range(3)]
    other, far = _hit("Columnas para los trenes", 0.2), _hit("Una torta dulce", 0.2)
    vectors = [[1.0, 0.1], [1.0, 0.2], [1.0, 0.0], [0.9, 0.5], [0.0, 1.0]]
    terms = question_terms("¿Qué dicen del metro elevado?")
    found = relevance_of(terms, {term.word: 20 for term in terms}, [*said, other, far], vectors)
    assert found.hits == [*said, other]
    assert found.chances == sorted(found.chances, reverse=True)


def test_where_each_word_is_said_a_question_is_answered() -> None:
    """What is not surely about it is answered with then; where a word is nowhere, it is not."""
    hits = [("Los trenes del metro", 0.2), ("Un puente elevado", 0.2)]
    assert len(_about("¿Qué dicen del metro elevado?", *hits)) == 2
    assert _about("¿Qué dicen del metro elevado y los tranvías?", *hits) == []


def test_a_part_that_nobody_speaks_of_does_not_void_the_others() -> None:
    """What "y" joins is asked for each by itself, unless only a name is left without it."""
    hits = [("Apoyo a los pueblos indígenas", 0.3), ("Una torta dulce", 0.1)]
    for question in ("¿Qué se promete a los {} y a los {}?".format(*parts) for parts in permutations(PARTS)):
        assert _about(question, *hits) == ["Apoyo a los pueblos indígenas"]
    assert _about("¿Qué dicen de Bogotá y los tranvías?", ("En Bogotá hace frío", 0.2)) == []


def test_one_part_of_a_question_is_enough() -> None:
    """Of what "y" joins, a text on one part alone is told, after those on both."""
    others = [(f"Torta de {number} pisos", 0.0) for number in range(ENOUGH_TO_STAND_OUT)]
    hits = [("Médicos y hospitales", 0.3), ("Faltan médicos", 0.15), *others]
    assert _about("¿Qué se dice de los médicos y los hospitales?", *hits) == ["Médicos y hospitales", "Faltan médicos"]


def test_what_stands_out_of_all_that_was_found_is_about_it() -> None:
    """Cosines count by how far above those of the others they are: one question has nearer documents than another."""
    said, other = ("El metro elevado", 0.5), ("Trenes sobre columnas", 0.4)
    far, near = (
        [(f"Torta de {number} pisos", cosine) for number in range(ENOUGH_TO_STAND_OUT)] for cosine in (0.0, 0.4)
    )
    assert other[0] in _about("¿Qué dicen del metro elevado?", said, other, *far)
    assert _about("¿Qué dicen del metro elevado?", said, other, *near) == [said[0]]


def test_a_namesake_is_not_who_is_asked_about() -> None:
    """Of a full name, what names somebody else of the same surname is not about the one who is asked about."""
    hits = [_hit("César Gaviria volvió", None), _hit("Alejandro Gaviria volvió", None)]
    terms = question_terms("¿Qué dicen de César Gaviria?")
    found = relevance_of(terms, SEEN, hits, names=[frozenset({"cesar", "gaviria"})])
    assert [hit.document.text for hit in found.hits] == ["César Gaviria volvió"]


@pytest.mark.parametrize(("negative", "kept"), [(3, 3), (2, 5)], ids=["enough", "too few"])
def test_criticism_has_a_negative_tone(negative: int, kept: int) -> None:
    """Where a question asks for criticism what is labelled negative answers it, unless there is too little of it."""
    labels = ["negative"] * negative + ["positive"] * (5 - negative)
    hits = [_hit(f"El metro tarda {number}", None) for number in range(5)]
    for hit, label in zip(hits, labels, strict=True):
        hit.document.metadata["label"] = label
    found = relevance_of(question_terms("¿Qué críticas recibe el metro?"), SEEN, hits)
    assert len(found.of_tone("negative").hits) == kept
    assert len(found.of_tone(None).hits) == 5


def test_a_text_of_one_word_says_nothing() -> None:
    """A place that a tweet only names is not spoken of."""
    assert _about("¿Qué dicen del metro?", ("El metro", None), ("El metro tarda", None)) == ["El metro tarda"]


def test_a_title_is_no_part_of_what_must_be_held() -> None:
    """Who names the person without the title speaks of the person."""
    assert _about("¿Qué dicen del expresidente César Gaviria?", ("César Gaviria volvió", None)) == [
        "César Gaviria volvió"
    ]


@pytest.mark.parametrize(
    "question",
    ["¿Qué se dice de los hipopótamos de Pablo Escobar?", "¿Qué dice Petronila del metro elevado?"],
    ids=["the subject is nowhere, a name is", "the speaker is nowhere"],
)
def test_of_what_nobody_speaks_nothing_is_relevant(question: str) -> None:
    """The name of the one or the subject of the other is not enough."""
    assert _about(question, ("Pablo Escobar murió", 0.3), ("El metro elevado", 0.3)) == []


@pytest.mark.parametrize(("similarity", "answered"), [(0.15, 0), (0.3, 20)], ids=["nonsense", "other words"])
def test_where_no_word_is_held_something_must_be_near(similarity: float, answered: int) -> None:
    """Documents like each other do not answer words that none of them holds; those that mean the same do."""
    terms = question_terms("asdf qwer zxcv")
    hits = [_hit(f"Torta de {number} pisos", similarity) for number in range(20)]
    assert len(relevance_of(terms, {}, hits, [[1.0, 0.0]] * 20).hits) == answered

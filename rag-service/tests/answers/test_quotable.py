"""What of a document is quoted: a sentence with those beside it that belong to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rag_service.answers.quotable import LONGEST_EXTENDED_QUOTE, quotable, quotes_of
from rag_service.documents.model import TWEET_SOURCE

LONG = "El empleo sube " + "en el barrio del sur y " * 9 + "en Cali."


def _quotes(text: str, *wanted: str) -> list[str]:
    document: Any = SimpleNamespace(id="tweet:1", text=text)
    return [one.quote for one in quotable(document, lambda sentence: any(word in sentence for word in wanted))]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("El empleo sube en todo Cali. Pero no alcanza para los jóvenes.", None),
        ("Mi plan para el sur del país:\nMás empleo y mejores vías.", None),
        ("El empleo sube en todo Cali.\nCon 40 mil puestos nuevos de empleo.", None),
        ("El empleo sube en todo Cali. 💪🏻 Con más empleo viviremos mejor.", None),
        ("El empleo sube en todo Cali este año. Son 300 puestos cada mes.", None),
        ("1. Subir el empleo en todo Cali. 2. Bajar el empleo informal.", None),
        (
            "El empleo sube en todo Cali este año. Llueve en la sabana desde ayer.",
            "El empleo sube en todo Cali este año.",
        ),
        (
            "El empleo sube en todo Cali este año. Los invito a hablar de empleo.",
            "El empleo sube en todo Cali este año.",
        ),
        ("El empleo sube en todo Cali. Lea mi plan de empleo: https://t.co/a", "El empleo sube en todo Cali."),
        ("El empleo sube en todo Cali. #Empleo https://t.co/a Más empleo.", "El empleo sube en todo Cali."),
        (f"{LONG} {LONG}", LONG),
    ],
    ids=[
        "leans on it",
        "is led to",
        "has a word of the question",
        "a sign between",
        "a number",
        "a list",
        "another subject",
        "an invitation",
        "leads to a link",
        "an address between",
        "too long together",
    ],
)
def test_a_quote_holds_what_belongs_to_it(text: str, quote: str | None) -> None:
    """All of it (None) while it is about the question and not too long, in the words of the document."""
    found = _quotes(text, "empleo", "Empleo")
    assert found[0] == (text if quote is None else quote)
    assert all(one in text for one in found)


def test_a_quote_of_many_sentences_has_an_end() -> None:
    """However many sentences are about the question, a quote is no longer than may be, and none is told twice."""
    found = _quotes(" ".join(f"Sube el empleo en la calle {number}." for number in range(50)), "empleo")
    assert len(found) == len(set(found))
    assert max(map(len, found)) <= LONGEST_EXTENDED_QUOTE


def test_the_number_of_a_thread_is_no_part_of_a_quote() -> None:
    """It stands at the end, where addresses do."""
    assert _quotes("El empleo sube en todo Cali (3/4)") == ["El empleo sube en todo Cali"]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Mi voto es para 👉#Cepeda", None),
        ("Mi voto es para 👉 #Cepeda", None),
        ("Yo voy a votar por el #PactoHistorico", None),
        ("El pueblo decide segu\u0301n la #Constitución 🇨🇴", "El pueblo decide segu\u0301n la #Constitución"),
        ("Mi voto es para #Cepeda #Colombia https://t.co/a", "Mi voto es para #Cepeda"),
        ("Yo voy a votar este domingo #PactoHistorico", "Yo voy a votar este domingo"),
        ("Yo voy a votar. #Pacto #Cali", "Yo voy a votar."),
        ("Lean mi plan de empleo en https://t.co/a#b", "Lean mi plan de empleo en"),
    ],
)
def test_a_hashtag_that_the_sentence_speaks_of_is_part_of_the_quote(text: str, quote: str | None) -> None:
    """After a preposition or an article; the hashtags after that, and those after a whole sentence, are not."""
    assert _quotes(text) == [quote or text]
    document: Any = SimpleNamespace(id="tweet:1", text=text, source=TWEET_SOURCE)
    assert [one.quote for one in quotes_of(document)] == [quote or text]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("La casa arde. El alcalde no vino. 💪🏻🇨🇴#FicoPropone https://t.co/x", ["La casa arde. El alcalde no vino."]),
        ("@ana @luz La casa arde. El alcalde no vino", ["La casa arde. El alcalde no vino"]),
        (f"{LONG}\nMás.", [LONG]),
        (f"{LONG}\nhttps://t.co/x Más.", [LONG]),
        (f"{LONG} {LONG} {LONG}", [LONG]),
        ("Sí al paro. No.", ["Sí al paro. No."]),
        ("#Paro https://t.co/x", []),
    ],
    ids=["short", "to others", "of two lines", "an address within", "long", "of few words", "no words"],
)
def test_a_short_tweet_is_quoted_whole(text: str, quotes: list[str]) -> None:
    """Cut, it may lose whom or what it speaks of; what has several lines or is long is told by its sentences."""
    document: Any = SimpleNamespace(id="tweet:1", text=text, source=TWEET_SOURCE)
    found = quotes_of(document)
    assert [one.quote for one in found][: len(quotes)] == quotes
    assert all(text[one.start : one.end] == one.quote for one in found)


@pytest.mark.parametrize("sentence", ["Sí al empleo. ", "¿empleo? 2 ", "No hay 5. ", "Y va. "])
def test_many_short_sentences_are_each_read_a_few_times(sentence: str) -> None:
    """However many belong together: to look from each for all that belongs to it would take a hundred times as long."""
    number = 8_000 // len(sentence)
    read: list[str] = []

    def wanted(text: str) -> bool:
        read.append(text)
        return "empleo" in text

    document: Any = SimpleNamespace(id="tweet:1", text=sentence * number)
    quotable(document, wanted)
    assert len(read) < 6 * number

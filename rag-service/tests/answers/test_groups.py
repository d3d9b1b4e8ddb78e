"""Which texts take the same position, what it is called, and whose sentence speaks for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rag_service.answers.citations import Citation
from rag_service.answers.clustering import groups_of, similarities
from rag_service.answers.passages import Passage
from rag_service.answers.positions import overview_of
from rag_service.answers.quotable import quotable, worth
from rag_service.answers.quoting import Candidate, Group, groups_with_quotes, surely_about
from rag_service.questions.form import NUMBERS
from rag_service.questions.question import Question
from rag_service.retrieval.model import Filters
from rag_service.text.labels import labels_of
from rag_service.text.terms import keys_of, question_terms

ASKED = keys_of(["empleo"])


def _question(text: str) -> Question:
    return Question.of(text, Filters(as_of=datetime(2022, 5, 1, tzinfo=UTC)))


def _labels(*texts: str) -> list[str]:
    return labels_of([*texts, "Otra cosa dicha ayer"], [range(len(texts)), [len(texts)]], ASKED)[0]


def test_groups_are_chosen_so_that_they_differ() -> None:
    """Two who say the same stand in one group, the heaviest first, and what is like nothing in none."""
    alike = np.array([[1, 0.6, 0.1, -0.2], [0.6, 1, 0.1, -0.2], [0.1, 0.1, 1, -0.2], [-0.2, -0.2, -0.2, 1]])
    assert groups_of(alike, [1, 1, 3, 0.01]) == [[2], [0, 1]]


def test_a_single_text_is_a_group() -> None:
    """Of one passage there is one group, also without a vector."""
    assert groups_of(similarities(["Sube el empleo"], ASKED, [None]), [1.0]) == [[0]]


def test_another_place_or_exclamation_makes_no_other_position() -> None:
    """Texts of nearly one meaning are alike, although the words in which they differ are rare."""
    texts = ["Ojo: marchan en Cali", "Bravo: marchan en Pasto", "Cae la lluvia", "Sube el dólar"]
    vectors = [[1, 0.1, 0], [1, 0.2, 0], [0, 1, 0], [0, 0, 1]]
    alike = similarities(texts, frozenset(), vectors)
    assert alike[0, 1] > 0.35 > alike[0, 2]


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (("Más comedores comunitarios ya", "Comedores comunitarios para todos"), ["comedores comunitarios"]),
        (("Tapando huecos", "Continúa tapando huecos", "Tapando los huecos"), ["huecos"]),
        (("Puro cuento: los buses no llegan", "Puro cuento: los buses no salen"), []),
        (("El empleo sube", "Los empleos suben", "El empleo subió"), []),
        (("Este país necesita becas", "Un país con becas", "Becas para el país"), ["becas"]),
        (("Solo una vez lo dije",), []),
    ],
    ids=[
        "a phrase before a word",
        "no verb",
        "no exclamation",
        "not what was asked",
        "nothing general",
        "no group of one",
    ],
)
def test_a_label_is_what_the_texts_share(texts: tuple[str, ...], labels: list[str]) -> None:
    """Phrases count more than words; what somebody does, exclamations and the words of the question are no label."""
    assert _labels(*texts) == labels


@pytest.mark.parametrize(
    "worse",
    [
        "Y por eso el empleo sube en todo el país.",
        "Los invito a hablar de empleo mañana en vivo.",
        "Aquí mi propuesta para el empleo del país:",
        "¿Cómo ven el empleo en el país este año?",
        "Mi propuesta de empleo para el país",
    ],
    ids=["leans on another", "invites", "leads to a link", "asks", "is a title"],
)
def test_a_sentence_that_says_something_is_worth_more(worse: str) -> None:
    """One that cannot be understood alone, calls people together or leads elsewhere gives way."""
    terms = question_terms("¿Qué dicen del empleo?")
    assert worth("El empleo sube en todo el país este año.", terms, frozenset()) > worth(worse, terms, frozenset())


def test_where_a_number_is_asked_for_one_is_quoted() -> None:
    """A sentence with a number is worth more there, and nowhere else."""
    terms = question_terms("¿Cuántos empleos prometen?")
    with_number, without = "Crearemos 440 mil empleos.", "Crearemos más empleos aún."
    assert worth(with_number, terms, frozenset(), form=NUMBERS) > worth(without, terms, frozenset(), form=NUMBERS)
    assert worth(without, terms, frozenset()) == pytest.approx(worth(with_number, terms, frozenset()), abs=0.01)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("@ana @luz Sube el empleo en Cali.", "Sube el empleo en Cali."),
        ("2. Subir el empleo en Cali.", "Subir el empleo en Cali."),
        ("@AlvaroQuinteroP dice que sube el empleo.", "@AlvaroQuinteroP dice que sube el empleo."),
    ],
)
def test_a_handle_that_is_the_subject_stays(text: str, quote: str) -> None:
    """Who is answered to is left out of a quote; who does what it tells is not."""
    document: Any = SimpleNamespace(id="tweet:1", text=text)
    assert [one.quote for one in quotable(document)] == [quote]


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("¿Qué críticas recibe Petro?", "negative"),
        ("¿Qué elogios recibe Petro?", "positive"),
        ("¿Qué elogios y críticas recibe Petro?", None),
        ("¿Qué dicen de Petro?", None),
        ("¿Que\u0301 cri\u0301ticas recibe Petro?", "negative"),
        ("¿Cómo critica Fajardo al presidente Duque?", "negative"),
        ("¿Qué le critican a Petro?", "negative"),
        ("¿Por qué los médicos rechazan la reforma?", "negative"),
        ("¿Cuáles son las principales quejas?", "negative"),
        ("¿Qué ataques se cruzaron Fajardo y Petro?", "negative"),
        ("CRÍTICAS A LA REFORMA", "negative"),
        ("Dime quién elogia a Petro", "positive"),
        ("¿Quién critica y quién elogia a Petro?", None),
        ("¿Cuándo se celebran las elecciones?", None),
        ("¿Dónde se celebra la consulta?", None),
        ("¿Qué proponen contra los ataques de la guerrilla?", None),
        ("¿Quién reclama la restitución de tierras?", None),
        ("¿Qué dicen de la literatura crítica?", None),
        ("¿Qué responde Petro a quienes critican la reforma?", None),
        ("", None),
    ],
)
def test_a_question_may_ask_for_a_tone(text: str, tone: str | None) -> None:
    """Criticism is negative, praise positive; both together, and words of the subject, are anything said."""
    assert _question(text).tone == tone


@pytest.mark.parametrize(
    ("text", "counts"),
    [("¿Cu\u00e1ntos votos sacaron?", True), ("¿Cua\u0301ntos votos?", True), ("¿Qué dicen de los votos?", False)],
)
def test_a_question_may_ask_for_a_number(text: str, counts: bool) -> None:
    """However its accents are composed."""
    assert _question(text).counts is counts


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Sube el empleo 😂 #Cali https://t.co/a  ", ["Sube el empleo"]),
        ("Sube el empleo 😂 en Cali 😂", ["Sube el empleo 😂 en Cali"]),
        ("#ParoNacional https://t.co/a", ["#ParoNacional"]),
        ("😂 😂 😂 😂 😂", []),
    ],
    ids=["all of the tail", "not within", "nothing else", "no word"],
)
def test_a_quote_ends_before_addresses_and_signs(text: str, quotes: list[str]) -> None:
    """What stands behind the last word of a sentence is left out, unless there is no word."""
    document: Any = SimpleNamespace(id="tweet:1", text=text)
    assert [one.quote for one in quotable(document)] == quotes


@pytest.mark.parametrize(
    "text",
    [
        "Gracias Colombia " + "😂 " * 3_900 + "vamos",
        "El empleo sube" + " " * 7_900 + "ya",
        "El empleo no-" + "\n" * 7_900 + "NO",
        "Suben.\nBajan. " * 570,
        "empleo sube barrio nuevo " * 320,
    ],
    ids=["signs", "spaces", "lines", "sentences", "no point"],
)
def test_the_longest_documents_are_read_in_proportion(text: str) -> None:
    """They take no more than ten times what plain sentences of their length do.

    A search for the end of a quote from each place took 40 times as much.
    """
    assert _cost(text) < 10 * _cost("El empleo sube en el barrio del sur. " * 215)


def _cost(text: str) -> float:
    """Return the seconds of a processor that reading a document takes, the least of three."""
    document: Any = SimpleNamespace(id="tweet:1", text=text)
    times = []
    for _ in range(3):
        began = process_time()
        quotable(document)
        labels_of([text, text], [[0, 1]], ASKED)
        times.append(process_time() - began)
    return min(times)


def _by(author: str, number: int, chance: float) -> Passage:
    text = f"Empleo{number} con vias{number} y escuelas{number}."
    document: Any = SimpleNamespace(id=f"{author}{number}", text=text, author=author, metadata={}, source="prensa")
    return Passage(document, chance, frozenset())


@pytest.mark.parametrize("many", [20, 60])
def test_of_two_who_are_compared_both_are_told(many: int) -> None:
    """However seldom one of them speaks of it, and however less surely."""
    passages = [_by("petro", number, 0.9) for number in range(many)] + [_by("fico", 0, 0.38)]
    vectors = [[float(number == place) for place in range(many + 1)] for number in range(many + 1)]
    groups = groups_with_quotes(passages, _question("¿Qué dicen Petro y Fico?"), vectors, compared=True)
    told, kept = surely_about(passages, groups, compared=True)
    authors = [{passage.document.author for passage in group.passages} for group in kept]
    assert (authors.count({"fico"}), {"petro"} in authors, passages[-1] in told) == (1, True, True)


def test_what_nobody_surely_says_is_no_position() -> None:
    """A group without a passage that is surely about the question is left out, and so is such a passage in none."""
    document: Any = SimpleNamespace(id="a", text="", author=None)
    sure, doubtful, alone = (
        Passage(SimpleNamespace(**{**vars(document), "id": name}), chance, frozenset())
        for name, chance in (("a", 0.9), ("b", 0.3), ("c", 0.3))
    )
    groups = [Group([sure, doubtful], [], [], None), Group([alone], [], [], None)]
    assert surely_about([sure, doubtful, alone], groups) == ([sure, doubtful], groups[:1])
    assert surely_about([alone], groups[1:]) == ([alone], groups[1:])


def _candidate(author: str, quote: str, words: float) -> Candidate:
    return Candidate(Citation(f"{author}:{quote}", quote, 0, len(quote)), author, words)


def test_who_and_what_was_not_quoted_yet_goes_first() -> None:
    """A little better is no reason to tell again what another group said, or to hear the same author again."""
    again = _candidate("ana", "El metro tapa la luz de todo el barrio viejo.", 1.0)
    other = _candidate("ana", "Los buses nuevos hacen menos ruido que los de antes.", 0.9)
    luz, eva = (
        _candidate("luz", "Cuestan poco y llegan pronto.", 0.8),
        _candidate("eva", "Salen cada diez minutos.", 0.75),
    )
    group = Group([], [], [again, other, luz, eva], None)
    quoted = [_candidate("luz", "El metro tapa la luz de todo el barrio.", 1.0)]
    assert group.best({}) == [again, luz]
    assert group.best({}, quoted) == [other, eva]
    assert Group([], [], [again, _candidate("luz", "Llueve mucho hoy por aquí.", 0.1)], None).best({}) == [again]


def test_a_label_is_told_where_a_quote_has_it() -> None:
    """What a group is about in words that none of its quotes has, nobody can see."""
    text = "El metro tapa la LUZ de los barrios viejos."
    when = datetime(2022, 5, 1, tzinfo=UTC)
    document: Any = SimpleNamespace(
        id="a", text=text, title=None, author="ana", source="prensa", published_at=when, metadata={}
    )
    passage = Passage(document, 0.9, frozenset())
    said = Candidate(Citation("a", text, 0, len(text)), "ana", 1.0)
    group = Group([passage], ["luz de los barrios", "trenes"], [said], None)
    told = overview_of([passage], [group], {}, _question("¿Qué dicen del metro?"))
    assert told.positions[0].terms == ["luz de los barrios"]


def test_quotes_of_a_group_say_one_thing_and_of_two_groups_another() -> None:
    """The second quote is one whose document means the same; what means what another group said gives way."""
    metro, luz, eva = (
        replace(_candidate(author, quote, words), document=vector)
        for author, quote, words, vector in (
            ("ana", "El metro tapa la luz de todo el barrio viejo.", 1.0, [1.0, 0.0]),
            ("luz", "Los buses salen cada diez minutos.", 0.95, [0.0, 1.0]),
            ("eva", "Las casas quedan en la sombra.", 0.9, [0.8, 0.6]),
        )
    )
    group = Group([], [], [metro, luz, eva], None)
    assert group.best({}) == [metro, eva]
    assert group.best({}, [replace(metro, author="sol")])[0] == luz

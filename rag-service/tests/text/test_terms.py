"""The words of a question that carry its subject."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from snowballstemmer.spanish_stemmer import SpanishStemmer

from rag_service.text import terms
from rag_service.text.terms import content_stem, keys_of, question_terms


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("¿Cuál es el precio del bitcoin en Marte?", ["precio", "bitcoin", "Marte"]),
        ("¿Qué propone Petro sobre las pensiones?", ["Petro", "pensiones"]),
        ("¿Qué opina la gente de la reforma tributaria?", ["reforma", "tributaria"]),
        ("¿Qué se dice?", []),
        ("¿Cómo afecta el paro a las ciudades?", ["paro", "ciudades"]),
        ("¿Qué elogios recibe el expresidente César Gaviria?", ["César", "Gaviria"]),
        ("¿Qué hace el presidente?", ["presidente"]),
        ("Resu\u0301meme la reforma", ["reforma"]),
        ("Haz un resumen de lo que dicen de la lista del Pacto", ["lista", "Pacto"]),
        ("Por favor, ¿puedes comparar a Ana Ruiz con Eva Paz?", ["Ana", "Ruiz", "Eva", "Paz"]),
        ("Quiero un análisis del paro", ["paro"]),
        ("Quiero comparar la salud con el paro", ["salud", "paro"]),
        ("La lista del Pacto", ["lista", "Pacto"]),
        ("Lista las propuestas de salud", ["salud"]),
        ("#ParoNacional y @ClaudiaLopez https://t.co/x", ["ParoNacional", "ClaudiaLopez"]),
    ],
)
def test_the_words_by_which_it_is_asked_are_left_out(question: str, words: list[str]) -> None:
    """Stop words and the verbs of asking are no subject."""
    assert [term.word for term in question_terms(question)] == words


@pytest.mark.parametrize(
    ("question", "speakers"),
    [
        ("¿Qué propone Gustavo Petro sobre salud?", ["Gustavo", "Petro"]),
        ("¿Cuál es la propuesta de Fajardo para Bogotá?", ["Fajardo"]),
        ("Según el candidato Fico, ¿qué es orden?", ["Fico"]),
        ("¿Por qué Bogotá no tiene metro?", []),
        ("¿Qué impuestos quiere bajar Hernández?", ["Hernández"]),
        ("¿Cómo critica Fajardo al presidente Duque?", ["Fajardo"]),
        ("¿Qué dicen Gustavo Petro y Fico del gas y Ecopetrol?", ["Gustavo", "Petro", "Fico"]),
        ("¿Qué dicen de Petro en Cali?", []),
        ("¿Qué pasó entre Petro y Fico?", []),
        ("¿Qué propone el Gobierno?", []),
        ("¿Qué le responde la gente a Petro?", []),
        ("¿Quién habla más de paz, Fico o Petro?", ["Fico", "Petro"]),
        ("¿A quién le creen más, a Fico o a Petro?", []),
        ("¿Quién habla del Cauca?", []),
    ],
)
def test_who_is_asked_to_speak_is_told_from_who_is_spoken_of(question: str, speakers: list[str]) -> None:
    """A name after a verb or noun of saying is that of a speaker."""
    assert [term.word for term in question_terms(question) if term.speaker] == speakers


@pytest.mark.parametrize(
    ("word", "text", "held"),
    [
        ("pensiones", "La reforma a la pensión", True),
        ("votacion", "Las votaciones fueron ayer", True),
        ("Marte", "Nos vemos el martes", False),
        ("marte", "Nos vemos el martes", False),
        ("Paz", "paz total", True),
        ("metro", "#MetroDeBogotá ya", False),
    ],
)
def test_a_word_is_held_in_any_form_and_no_other_word_is(word: str, text: str, held: bool) -> None:
    """Endings and accents make no difference; a name is only itself."""
    (term,) = question_terms(f"¿Qué dicen de {word}?")
    assert term.within(keys_of([text])) is held


@pytest.mark.parametrize(
    "question",
    ["¿Qué dicen Gustavo Petro y Fico Gutiérrez de la paz?", "¿Qué dicen Gustavo Petro, Fico Gutiérrez de la paz?"],
)
def test_the_names_of_one_speaker_have_one_number(question: str) -> None:
    """Two names of one person belong together, those of two do not, with "y" or a comma between them."""
    terms = question_terms(question)
    assert [(term.word, term.person) for term in terms] == [
        ("Gustavo", 1),
        ("Petro", 1),
        ("Fico", 2),
        ("Gutiérrez", 2),
        ("paz", 0),
    ]


def test_an_acronym_is_held_by_its_longer_form() -> None:
    """LGBTI is what LGBTIQ+ begins with; a word or a short acronym is not extended."""
    acronym, word, short = (question_terms(f"¿Y sobre {name}?")[0] for name in ("LGBTI", "Petro", "EPS"))
    text = keys_of(["La comunidad LGBTIQ+ y el petrolero epsilon"])
    assert (acronym.within(text), word.within(text), short.within(text)) == (True, False, False)


def test_a_word_keeps_its_stem_while_another_thread_stems(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question is read on the event loop while threads read documents."""
    stem = SpanishStemmer._stem

    def interrupted(stemmer: SpanishStemmer) -> None:
        if stemmer.get_current() == "hospitales":
            with ThreadPoolExecutor(1) as other:
                assert other.submit(content_stem, "seguridades").result() == "segur"
        stem(stemmer)

    monkeypatch.setattr(SpanishStemmer, "_stem", interrupted)
    terms._stem.cache_clear()
    assert content_stem("hospitales") == "hospital"
    terms._stem.cache_clear()


@pytest.mark.parametrize("sign", ["¿", ",", " "])
def test_a_question_of_signs_is_soon_read(sign: str) -> None:
    """Of so many, a look at all of them for each of them would take hours."""
    assert [term.word for term in question_terms(sign * 100_000 + "Ab Cd")] == ["Ab", "Cd"]


@pytest.mark.parametrize("names", ["Ana " * 60_000, "Ana, " * 60_000, "A" * 60_000])
def test_a_question_of_names_is_soon_read(names: str) -> None:
    """Each of them is looked at once."""
    assert terms._choice_of_speakers(f"¿Quién habla más, {names}") == frozenset()


@pytest.mark.parametrize("offered", ["Petro o Fico", "Ana Ruiz, Petro u Óscar", "Luis, Ana. Petro o Fico, Eva o Max"])
def test_those_who_are_offered_are_the_choice(offered: str) -> None:
    """Names that are joined, and none that stands by itself."""
    names = set(offered.replace(",", "").replace("Luis Ana. ", "").split()) - {"o", "u"}
    assert terms._choice_of_speakers(f"¿Quién habla más, {offered}?") - {"o", "u"} == names

"""The tokeniser, the keys that merge spellings, and the hash of near-duplicates."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.text.terms import MAX_TERM_CHARS, MAX_TERMS, term_key, term_keys, terms_of, text_hash, words_of


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("#DebateFinal con @NoticiasCaracol", {"#debatefinal", "@noticiascaracol"}),
        ("#Elección2022, #ELECCION2022", {"#eleccion2022"}),
        (
            "RT @petrogustavo: paz https://t.co/abc123 www.paz.co/x",
            {"paz", "link:t.co/abc123", "link:paz.co/x", "domain:paz.co"},
        ),
        ("Hoy vamos a hacer una gran campaña", {"campaña"}),
        ("la ley de garantías", {"ley", "garantias", "ley de garantias"}),
        ("el 29 de mayo, 1% del PIB", {"pib", "1% del pib"}),
        ("36 billones", {"billones", "36 billones"}),
        ("el 5\n% del PIB", {"pib"}),
        ("2022 100 3.5", set()),
        ("pensiones. Salud", {"pensiones", "salud"}),
        ("pensiones 🇨🇴 salud", {"pensiones", "salud"}),
        ("Reforma &amp; Pensional", {"reforma", "pensional"}),
        ("jajaja jejejeje claramente gracias", set()),
        ("año nuevo ano", {"ano"}),
        ("#1 @ #", set()),
        ("", set()),
    ],
)
def test_the_terms_of_a_tweet_are_its_tags_and_the_phrases_between_stop_words(text: str, keys: set[str]) -> None:
    """Only links, tags, content words and phrases that begin and end with one are terms."""
    assert set(terms_of(text)) == keys


def test_a_phrase_has_at_most_three_content_words() -> None:
    """Four content words in a row make words, pairs and triples, no quadruple."""
    keys = terms_of("reforma pensional colombiana urgente")
    assert "reforma pensional colombiana" in keys
    assert "reforma pensional colombiana urgente" not in keys


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Votación limpia", "votación"),
        ("con Odebrecht", "Odebrecht"),
        ("más PIB", "PIB"),
        ("VIVA LA PAZ", "paz"),
    ],
)
def test_a_capital_is_kept_only_where_it_marks_a_name(text: str, spelling: str) -> None:
    """A capital at the beginning of a sentence or in a shouted text is not kept."""
    assert spelling in terms_of(text).values()


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_the_composition_of_a_text_makes_no_difference(form: Literal["NFC", "NFD", "NFKC"]) -> None:
    """Accents that are characters of their own end neither a word nor a hashtag, and spellings are shown composed."""
    text = unicodedata.normalize(form, "calle señalización #EducaciónPública")
    assert terms_of(text) == {
        "#educacionpublica": "#EducaciónPública",
        "calle": "calle",
        "señalizacion": "señalización",
        "calle señalizacion": "calle señalización",
    }
    assert term_key(unicodedata.normalize(form, "Señalización")) == "señalizacion"
    assert text_hash(text + " para todos") == text_hash("calle señalización #EducaciónPública para todos")


@given(st.text(max_size=600))
def test_any_text_gives_few_short_keys(text: str) -> None:
    """Whatever is written, a tweet has at most MAX_TERMS distinct terms, each short, folded and found by its key."""
    terms = terms_of(text)
    assert len(terms) <= MAX_TERMS
    assert all(0 < len(key) <= MAX_TERM_CHARS for key in terms)
    assert not any(mark in part for item in terms.items() for part in item for mark in "\0\n")
    assert -(2**63) <= text_hash(text) < 2**63


@pytest.mark.parametrize(
    ("text", "key"),
    [("#Débate2022", "#debate2022"), (" Ley  de Garantías ", "ley de garantias"), ("@Petro", "@petro"), ("¡!", None)],
)
def test_a_topic_is_found_by_any_spelling(text: str, key: str | None) -> None:
    """A path parameter leads to the key that the tweets were stored under."""
    assert term_key(text) == key


def test_each_spelling_leads_to_its_key() -> None:
    """Of words, tags, links and domains alike: a timeline of what a topic is called counts its tweets."""
    terms = terms_of("#Débate2022 con @Petro en https://www.eltiempo.com/Politica/x?a=1 y https://bit.ly/aB1, ley 1.5")
    assert {"domain:eltiempo.com", "link:eltiempo.com/Politica/x?a=1"} <= terms.keys()
    assert {key: spelling for key, spelling in terms.items() if key not in term_keys(spelling)} == {}


def test_near_duplicates_share_a_hash() -> None:
    """Mentions, numbers, case, addresses and emoji make no other text; other words do."""
    first = text_hash("@ana Mañana todos a votar por el cambio! https://t.co/1 🇨🇴")
    assert first == text_hash("RT @x: @luis MAÑANA todos a votar por el cambio 2")
    assert first != text_hash("@ana Mañana todos a votar por la paz")


def test_short_texts_are_duplicates_only_when_whole() -> None:
    """'Gracias' to two people is two tweets."""
    assert text_hash("@ana gracias") != text_hash("@luis gracias")


def test_a_hashtag_is_split_into_its_words() -> None:
    """Humps of a hashtag are words, numbers and stop words left out, plurals merged."""
    assert words_of("#DebatesDeCandidatos2022") == words_of("debate de candidatos")
    assert words_of("debate presidencial") & words_of("#Debate2022")


def test_a_reference_to_no_character_is_no_failure() -> None:
    """A tweet with a number of thousands of digits is read like any other: it must not stop the feed."""
    assert {"#paz", "ley"} <= set(terms_of(f"#paz &#{'98' * 2500}; ley"))

"""Terms that speak of one thing become one topic."""

from __future__ import annotations

from itertools import permutations

import pytest

from trending_service.detection.clusters import BurstingTerm, cluster
from trending_service.text.terms import Kind, words_of


def _term(spelling: str, score: float, tweets: set[int], kind: Kind = "phrase") -> BurstingTerm:
    return BurstingTerm(spelling.lower(), kind, spelling, words_of(spelling), score, frozenset(tweets))


DEBATE = [
    _term("#Debate2022", 9.0, {1, 2, 3, 4, 5, 6}, "hashtag"),
    _term("debate", 7.0, {4, 5, 6, 7, 8}),
    _term("debate presidencial", 5.0, {5, 6, 7}),
]


def test_spellings_of_one_event_are_one_topic_under_its_hashtag() -> None:
    """'debate', '#Debate2022' and 'debate presidencial' are one topic of all their tweets."""
    (topic,) = cluster(DEBATE)
    assert topic.label.spelling == "#Debate2022"
    assert topic.tweets == {1, 2, 3, 4, 5, 6, 7, 8}


def test_the_order_of_terms_does_not_matter() -> None:
    """Any order of the same terms gives the same topics."""
    terms = [*DEBATE, _term("fracking", 4.0, {20, 21, 22})]
    assert len({str(cluster(order)) for order in permutations(terms)}) == 1


def test_parts_of_a_phrase_are_not_topics_of_their_own() -> None:
    """'seguridad' and 'alimentaria' within 'seguridad alimentaria' are suppressed; the phrase is the label."""
    parts = [_term("seguridad", 3.0, {1, 2, 3}), _term("alimentaria", 3.0, {1, 2, 3})]
    (topic,) = cluster([*parts, _term("seguridad alimentaria", 3.0, {1, 2, 3})])
    assert topic.label.spelling == "seguridad alimentaria"


def test_terms_that_always_stand_together_are_one_topic_without_a_common_word() -> None:
    """A programme's account and its hashtag in the same tweets are one topic."""
    (topic,) = cluster([_term("@WRadio", 9.0, {1, 2, 3}, "mention"), _term("#AlAire", 8.0, {1, 2, 3, 4}, "hashtag")])
    assert topic.label.spelling == "#AlAire"


def test_a_tag_does_not_swallow_what_is_said_under_it() -> None:
    """A subject in two of fourteen tweets with a slogan stays a topic of its own."""
    slogan = _term("#YoVoto", 9.0, set(range(14)), "hashtag")
    assert len(cluster([slogan, _term("fertilizantes", 3.0, {1, 2})])) == 2


def test_a_much_wider_word_does_not_join_what_it_was_found_beside() -> None:
    """'voto' in twenty tweets is not the same as 'voto en blanco' in five of them."""
    topics = cluster([_term("voto en blanco", 6.0, {1, 2, 3, 4, 5}), _term("voto", 5.0, set(range(1, 21)))])
    assert [topic.label.spelling for topic in topics] == ["voto en blanco", "voto"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#CierreDeCampaña", "#cierredecampana"), ("#BenitoJuárez", "Benito Juárez"), ("impuesto", "impuestos"),
        ("tarjetón", "tarjetones"), ("conmemora", "conmemoramos"), ("#Elecciones2022", "elecciones"),
        ("@UExternado", "Externado"), ("quema de figura", "quemar figuras"), ("1.000 millones", "1000 millones"),
    ],
)  # fmt: skip
def test_forms_of_one_name_are_one_topic_although_no_tweet_has_both(one: str, other: str) -> None:
    """Each author writes one form; the name that is shown is one that was written."""
    (topic,) = cluster([_term(one, 9.0, {1, 2, 3, 4, 5}), _term(other, 8.0, {11, 12, 13})])
    assert topic.tweets == {1, 2, 3, 4, 5, 11, 12, 13}
    assert topic.label.spelling in (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("puerto", "puerta"), ("año", "ano"), ("#Debate2018", "#Debate2022"), ("#17May", "#18May"),
        ("#NoMasPetro", "Petro"), ("marcha contra Petro", "marcha por Petro"), ("#ConFico", "#ContraFico"),
        ("caso", "casa"), ("voto", "voto en blanco"), ("Gustavo Petro", "Gustavo Bolívar"),
        ("Mario Castro", "María Castro"), ("Claudia López", "Claudio López"), ("Manuel Gómez", "Manuela Gómez"),
        ("presidente", "presidenta"), ("la candidata", "el candidato"), ("Daniel", "Daniela"),
        ("Carlos", "Carla"), ("Marín", "Marina"), ("#Petro", "Petra"), ("puertos", "puerta"),
        ("puerto libre", "puerta libre"), ("1,5 millones", "15 millones"),
    ],
)  # fmt: skip
def test_names_that_only_look_alike_are_two_topics(one: str, other: str) -> None:
    """Another number, gender, letter or second word is another name; of an office, another person who holds it."""
    assert len(cluster([_term(one, 9.0, {1, 2, 3}), _term(other, 8.0, {11, 12, 13})])) == 2


def test_a_common_word_belongs_to_the_topic_that_it_is_said_in() -> None:
    """'conmemoramos' in tweets of Juárez's birthday is no topic beside it; the same word said elsewhere is."""
    birthday = _term("Benito Juárez", 9.0, set(range(20)))
    other = _term("#SíndromeDeDown", 8.0, set(range(20, 40)), "hashtag")
    (topic, _) = cluster([birthday, other, _term("conmemoramos", 7.0, {0, 1, 2, 3, 20})])
    assert (topic.label.spelling, [term.spelling for term in topic.members]) == (
        "Benito Juárez",
        ["Benito Juárez", "conmemoramos"],
    )
    assert len(cluster([birthday, other, _term("conmemoramos", 7.0, {0, 1, 20, 21, 41})])) == 3


def test_a_common_word_joins_the_only_subject_of_a_window() -> None:
    """Chance is measured by all tweets of the window: within twenty of two hundred no word stays by chance."""
    terms = [_term("Benito Juárez", 9.0, set(range(20))), _term("conmemoramos", 7.0, set(range(5)))]
    (topic,) = cluster(terms, tweets=200)
    assert topic.label.spelling == "Benito Juárez"


def test_what_is_said_on_a_day_of_one_subject_stays_apart() -> None:
    """Where most tweets are of a debate, a word that is said as often in it as elsewhere is a topic of its own."""
    debate = _term("#Debate", 9.0, set(range(90)), "hashtag")
    assert len(cluster([debate, _term("gasolina", 7.0, set(range(80, 100)))])) == 2

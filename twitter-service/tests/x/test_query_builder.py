"""The query builder: what it builds, what X understands by it, and that no text becomes an operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castor_devstack.fake_x.query import Leaf, leaves, matches, parse
from twitter_service.x.errors import EmptySearch, EmptyTerm, QueryTooLong
from twitter_service.x.query_builder import Search, queries, term

TERMS = [
    # Words and phrases.
    ("seguridad", "seguridad"),
    ("Petro", "Petro"),
    ("medio ambiente", '"medio ambiente"'),
    ("  medio   ambiente ", '"medio ambiente"'),
    ("economía", "economía"),
    ("economi\u0301a", "economía"),
    ("Peñalosa", "Peñalosa"),
    ("2026", "2026"),
    ("sí", "sí"),
    ("ELN", "ELN"),
    ("covid-19", '"covid-19"'),
    ("O'Higgins", '"O\'Higgins"'),
    ("EE.UU.", '"EE.UU."'),
    ("¿qué pasa?", '"¿qué pasa?"'),
    ("50%", '"50%"'),
    ("$COP", '"$COP"'),
    ("a_b", '"a_b"'),
    ("🇨🇴", '"🇨🇴"'),
    ("fuera🔥", '"fuera🔥"'),
    # Names that a careless filter drops.
    ("Botero", "Botero"),
    ("fbotero", "fbotero"),
    ("protesta", "protesta"),
    ("testimonio", "testimonio"),
    ("robótica", "robótica"),
    ("Laura20261", "Laura20261"),
    ("@Juan12345", "@Juan12345"),
    ("@user1234567", "@user1234567"),
    ("Fernando Botero", '"Fernando Botero"'),
    ("@fboterozea", "@fboterozea"),
    ("spam", "spam"),
    # Hashtags and mentions.
    ("#ParoNacional", "#ParoNacional"),
    ("#Elecciones2026", "#Elecciones2026"),
    ("#21N", "#21N"),
    ("#Educación", "#Educación"),
    ("#2026", '"#2026"'),
    ("#a-b", '"#a-b"'),
    ("@petrogustavo", "@petrogustavo"),
    ("@quince_letras_x", "@quince_letras_x"),
    ("@dieciseis_letras", '"@dieciseis_letras"'),
    ("@con espacio", '"@con espacio"'),
    # Operators are text.
    ("OR", '"OR"'),
    ("or", '"or"'),
    ("AND", '"AND"'),
    ("not", '"not"'),
    ("Petro OR Fico", '"Petro OR Fico"'),
    ("from:petrogustavo", '"from:petrogustavo"'),
    ("-from:petrogustavo", '"-from:petrogustavo"'),
    ("lang:en", '"lang:en"'),
    ("is:retweet", '"is:retweet"'),
    ("-is:retweet", '"-is:retweet"'),
    ("-paro", '"-paro"'),
    ("(paro)", '"(paro)"'),
    (")", None),
    ("paro) OR (fraude", '"paro) OR (fraude"'),
    ('paro" OR "fraude', '"paro OR fraude"'),
    ('"', None),
    ('""', None),
    ('"paro"', "paro"),
    ('" OR from:x "', '"OR from:x"'),
    ('paro\\" OR lang:en', '"paro OR lang:en"'),
    ("paro\\", "paro"),
    ("“paro” OR «fraude»", '"paro OR fraude"'),
    ("paro\uff02 OR \uff02fraude", '"paro OR fraude"'),
    ("paro\nOR\nfraude", '"paro OR fraude"'),
    ("paro\tOR", '"paro OR"'),
    ("paro\x00OR", '"paro OR"'),
    ("paro\u2028OR", '"paro OR"'),
    ("pa\u200bro", "paro"),
    ("\u202eparo", "paro"),
    ("\ufeffparo", "paro"),
    ("paro\u00a0cívico", '"paro cívico"'),
    ("has:media has:links", '"has:media has:links"'),
    ("place_country:CO", '"place_country:CO"'),
    ("conversation_id:1", '"conversation_id:1"'),
    ("sample:10", '"sample:10"'),
    ("", None),
    ("   ", None),
    ("...", None),
    ("#", None),
    ("@", None),
    ("-", None),
    ("\u200b", None),
]

SEARCHES: list[tuple[dict[str, Any], str]] = [
    ({"any_of": ["seguridad"]}, "seguridad -is:retweet"),
    ({"any_of": ["seguridad", "robo"], "lang": "es"}, "(seguridad OR robo) lang:es -is:retweet"),
    (
        {"any_of": ["seguridad", "robo"], "location": "Bogotá", "lang": "es"},
        "(seguridad OR robo) Bogotá lang:es -is:retweet",
    ),
    (
        {"any_of": ["medio ambiente"], "all_of": ["Gustavo Petro"], "lang": "es"},
        '"medio ambiente" "Gustavo Petro" lang:es -is:retweet',
    ),
    ({"any_of": ["Botero"], "mentions": ["@fboterozea"]}, "(Botero OR @fboterozea) -is:retweet"),
    ({"hashtags": ["ParoNacional", "#21N"]}, "(#ParoNacional OR #21N) -is:retweet"),
    ({"authors": ["@petrogustavo", "FicoGutierrez"]}, "(from:petrogustavo OR from:FicoGutierrez) -is:retweet"),
    ({"authors": ["petrogustavo"], "any_of": ["paz"]}, "paz from:petrogustavo -is:retweet"),
    (
        {"any_of": ["Botero"], "mentions": ["fboterozea"], "voices": ["fboterozea"]},
        "(Botero OR @fboterozea OR from:fboterozea) -is:retweet",
    ),
    ({"any_of": ["paro"], "none_of": ["fútbol", "gol de"]}, 'paro -fútbol -"gol de" -is:retweet'),
    ({"any_of": ["paro"], "none_of": ["#Mundial"]}, "paro -#Mundial -is:retweet"),
    ({"any_of": ["paro"], "with_retweets": True}, "paro"),
    ({"any_of": ["Paro", "paro", "PARO"]}, "Paro -is:retweet"),
    ({"all_of": ["paro", "Bogotá"], "location": "bogotá"}, "paro Bogotá -is:retweet"),
    ({"location": "Medellín", "lang": "es"}, "Medellín lang:es -is:retweet"),
    ({"any_of": ["x OR y", "z"]}, '("x OR y" OR z) -is:retweet'),
    ({"any_of": ["a"], "location": "Cali) OR (robo"}, 'a "Cali) OR (robo" -is:retweet'),
    ({"any_of": ["a"], "none_of": ["-b"]}, 'a -"-b" -is:retweet'),
]


@pytest.mark.parametrize(("text", "expected"), TERMS)
def test_a_term_is_one_positive_text_whatever_it_holds(text: str, expected: str | None) -> None:
    """A term becomes exactly one word, phrase, hashtag or mention, or is refused; never an operator."""
    if expected is None:
        with pytest.raises(EmptyTerm):
            term(text)
        return
    assert term(text) == expected
    (leaf,) = leaves(parse(expected))
    assert leaf.kind in ("text", "hashtag", "mention")
    assert not leaf.negated


@pytest.mark.parametrize(("parts", "expected"), SEARCHES)
def test_a_search_reads_as_it_should(parts: dict[str, Any], expected: str) -> None:
    """Alternatives stand in parentheses, what must hold beside them, what must not behind a minus."""
    assert queries(Search(**parts)) == [expected]


def test_every_part_binds_to_all_alternatives() -> None:
    """Place, language and the exclusion of retweets hold for each alternative, not for the first or last alone."""
    (query,) = queries(Search(any_of=["seguridad", "robo"], location="Bogotá", lang="es"))
    node = parse(query)
    robo = {"text": "un robo en Bogotá", "lang": "es"}
    assert matches(node, robo, "ana")
    assert not matches(node, {**robo, "text": "un robo en Cali"}, "ana")
    assert not matches(node, {**robo, "text": "seguridad en Cali"}, "ana")
    assert not matches(node, {**robo, "lang": "en"}, "ana")
    assert not matches(node, {**robo, "referenced_tweets": [{"type": "retweeted", "id": "1"}]}, "ana")


@pytest.mark.parametrize(
    "parts",
    [{}, {"lang": "es"}, {"none_of": ["paro"]}, {"with_retweets": True}],
)
def test_a_search_for_nothing_is_refused(parts: dict[str, Any]) -> None:
    """Language and exclusions alone are no search."""
    with pytest.raises(EmptySearch):
        queries(Search(**parts))


@pytest.mark.parametrize("handle", ["from:x", "a b", "x OR y", "", "á", "a" * 16, 'x" OR "y', "-x"])
def test_an_author_is_a_handle_or_refused(handle: str) -> None:
    """Nothing but a handle can follow ``from:``."""
    with pytest.raises(EmptyTerm):
        queries(Search(authors=[handle]))


@pytest.mark.parametrize("limit", [64, 128, 512, 1024])
@pytest.mark.parametrize("count", [1, 40, 400])
def test_long_searches_are_split_and_lose_no_term(limit: int, count: int) -> None:
    """Every query fits, keeps what must hold, and together they hold each alternative once."""
    words = [f"palabra número {n}" for n in range(count)]
    built = queries(Search(any_of=words, location="Bogotá", lang="es"), limit)
    assert all(len(query) <= limit for query in built)
    texts = [[leaf.value for leaf in leaves(parse(query, limit)) if leaf.kind == "text"] for query in built]
    assert all(text.count("Bogotá") == 1 for text in texts)
    assert [value for text in texts for value in text if value != "Bogotá"] == words


def test_alternatives_and_authors_are_split_crosswise() -> None:
    """Where words and authors are both too many, every pair of a word and an author stands in one query."""
    words, authors = [f"palabra{n}" for n in range(60)], [f"autor{n}" for n in range(60)]
    built = queries(Search(any_of=words, authors=authors))
    assert all(len(query) <= 512 for query in built)
    pairs: set[tuple[str, str]] = set()
    for query in built:
        found = list(leaves(parse(query)))
        pairs |= {(w.value, a.value) for w in found for a in found if w.kind == "text" and a.kind == "from"}
    assert pairs == {(word, author) for word in words for author in authors}


@pytest.mark.parametrize(
    "parts",
    [{"any_of": ["a"], "all_of": ["b" * 511]}, {"any_of": ["c" * 520]}, {"any_of": ["🔥a " * 130]}],
)
def test_what_cannot_be_split_is_refused(parts: dict[str, Any]) -> None:
    """A part that no query can hold is named, not cut."""
    with pytest.raises(QueryTooLong):
        queries(Search(**parts))


ANY_TEXT = st.text(max_size=40)
HOSTILE = st.lists(
    st.sampled_from(['"', "\\", "(", ")", "-", " OR ", "from:", "lang:", "is:", "#", "@", "a", "paz", " ", "\u201c"])
).map("".join)


@given(any_of=st.lists(ANY_TEXT | HOSTILE, max_size=6), all_of=st.lists(HOSTILE, max_size=3))
@settings(max_examples=300)
def test_no_text_changes_the_structure(any_of: list[str], all_of: list[str]) -> None:
    """Whatever users write, X reads their texts as texts and exactly our own operators as operators."""
    try:
        built = queries(Search(any_of=any_of, all_of=all_of, lang="es"))
    except (EmptyTerm, EmptySearch):
        return
    for query in built:
        found = list(leaves(parse(query)))
        assert _own(found) == [("lang", "es", False), ("is", "retweet", True)]
        assert not any(leaf.negated for leaf in found if leaf.kind in ("text", "hashtag", "mention"))


def _own(found: Sequence[Leaf]) -> list[tuple[str, str, bool]]:
    return [(leaf.kind, leaf.value, leaf.negated) for leaf in found if leaf.kind not in ("text", "hashtag", "mention")]

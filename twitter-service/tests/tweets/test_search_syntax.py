"""What a search says, or why it cannot be read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castor_chassis import Invalid
from twitter_service.tweets.search_syntax import Combined, Search, Words, parse_search


def shown(search: Search) -> str:
    """Return a search with every parenthesis."""
    if isinstance(search, Words):
        return search.text
    return f"{search.operator}({', '.join(map(shown, search.parts))})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("salud", "salud"),
        ("salud pública", "AND(salud, pública)"),
        ("salud AND pública", "AND(salud, pública)"),
        ("salud and pública", "AND(salud, and, pública)"),
        ("a b OR c", "OR(AND(a, b), c)"),
        ("a or b", "OR(a, b)"),
        ("a (b OR c)", "AND(a, OR(b, c))"),
        ('"educación pública" -hola', "AND(educación pública, NOT(hola))"),
        ("a NOT b", "AND(a, NOT(b))"),
        ("NOT (a OR b)", "NOT(OR(a, b))"),
        ("-(a b)", "NOT(AND(a, b))"),
        ("covid-19", "covid-19"),
    ],
)
def test_a_search_means_what_it_says(text: str, meaning: str) -> None:
    """OR binds least, AND may be left out, NOT and a minus bind to what follows."""
    assert shown(parse_search(text)) == meaning


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a b', "a quotation mark is not closed"),
        ("(a b", "a parenthesis is not closed"),
        ("a b)", "a closing parenthesis has no opening one"),
        ("a AND", "words are missing at the end"),
        ("OR a", "words are missing before OR"),
        ("()", "words are missing before )"),
        ("salud*", "'salud*' has a star"),
        ("(" * 30 + "a" + ")" * 30, "nested deeper than 20"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    """Nothing is silently taken for something else: the sentence names what is wrong and what is known."""
    with pytest.raises(Invalid, match="it takes words") as caught:
        parse_search(text)
    assert said in str(caught.value)
    assert caught.value.details["fields"][0]["field"] == "query.q"


@given(st.text(alphabet='ab "()-*ANDORT', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Every text has a meaning or a refusal, whatever its quotation marks and parentheses."""
    with contextlib.suppress(Invalid):
        assert isinstance(parse_search(text), Words | Combined)

"""Links of tweets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.text.links import links_of


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "lea https://www.ElTiempo.com/politica?utm_source=x&id=3#top.",
            [("eltiempo.com/politica?id=3", "eltiempo.com")],
        ),
        ("(www.semana.com/nota/)", [("semana.com/nota", "semana.com")]),
        ("https://t.co/AbC y https://t.co/AbC", [("t.co/AbC", None)]),
        ("https://x.com/a/status/1", [("x.com/a/status/1", None)]),
        ("http://[::1/ https://localhost/a www.", []),
        ("sin enlaces", []),
    ],
)
def test_links_have_one_form_and_a_domain(text: str, links: list[tuple[str, str | None]]) -> None:
    """Scheme, www, tracking and fragments make no difference; shorteners and X itself are no domain."""
    assert links_of(text) == links


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    """Nothing that looks like a link breaks it."""
    assert all("." in link for link, _ in links_of("https://" + text + " http://" + text))

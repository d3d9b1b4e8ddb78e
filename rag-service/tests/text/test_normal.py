"""One form of text for the index and for queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.text.normal import searchable


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("sal\u00adud y vi\u200bda", "salud y vida"),
        ("los hospi-\n  tales públicos", "los hospitales públicos"),
        ("los hospi\u00ad\ntales", "los hospitales"),
        ("pacto Petro-\nFrancia", "pacto Petro-\nFrancia"),
        ("ex-presidente", "ex-presidente"),
        ("𝗩𝗼𝘁𝗮 𝓟𝓮𝓽𝓻𝓸 Ｆｉｃｏ", "Vota Petro Fico"),
        ("🅿🅴🆃🆁🅾 ᴘᴇᴛʀᴏ", "PETRO petro"),
        ("o\ufb01cina de \ufb02ujo", "oficina de flujo"),
        ("salud &amp; vida &amp;amp; paz &#39;ya&#39;", "salud & vida & paz 'ya'"),
        ("educacio\u0301n", "educación"),
    ],
)
def test_what_changes_the_writing_and_not_the_word_is_undone(written: str, form: str) -> None:
    """Invisible characters, broken lines, styled letters, ligatures, escapes and composition make no difference."""
    assert searchable(written) == form


@given(st.text(max_size=60))
def test_the_form_of_any_text_is_nfc_and_stable(text: str) -> None:
    """Whatever comes in, the form is text that PostgreSQL and the encoder take."""
    form = searchable(text)
    assert "\u200b" not in form
    assert not any("\ud800" <= letter <= "\udfff" for letter in form)

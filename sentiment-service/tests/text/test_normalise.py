"""Tweet normalisation."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_service.text.normalise import handles, normalise, robertuito, split_hashtag


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Mira https://t.co/AbC1 y www.ejemplo.co/x", "Mira http y http"),
        ("Gracias @Juan_Perez!", "Gracias @user!"),
        ("escriba a ana@correo.co", "escriba a ana@correo.co"),
        ("#NoMásCorrupción ya", "No Más Corrupción ya"),
        ("#vota_bien", "vota bien"),
        ("#Elecciones2022", "Elecciones 2022"),
        ("holaaaa!!!!!", "holaa!!"),
        ("son 1000000 votos", "son 1000000 votos"),
        ("pan &amp; agua &gt; nada", "pan & agua > nada"),
        ("bueno.... pues", "bueno… pues"),
        ("bien👍🏽👍🏽👍🏽", "bien 👍 👍"),
        ("ya :) y no :-(", "ya 🙂 y no 🙁"),
        ("  dos \n líneas\t", "dos líneas"),
        ("", ""),
    ],
)
def test_each_rule(raw: str, clean: str) -> None:
    """Every rule of the docstring turns its raw form into its clean form."""
    assert normalise(raw) == clean


@settings(max_examples=150)
@given(st.text(alphabet=st.characters(exclude_characters="&", codec="utf-8"), max_size=80))
def test_stable_shape(text: str) -> None:
    """No text yields edge or double white space, a link, or three equal letters in a row."""
    clean = normalise(text)
    assert clean == " ".join(clean.split())
    assert not re.search(r"https?://", clean)
    assert not any(a == b == c and a.isalpha() for a, b, c in zip(clean, clean[1:], clean[2:], strict=False))


@given(st.text(alphabet="abcáñ ABC#@_:)(!.…12👍💛", max_size=60))
@settings(max_examples=200)
def test_no_name_survives(text: str) -> None:
    """Every mention that is left in a text is the placeholder, however it is joined to other marks."""
    assert all(name == "@user" for name in re.findall(r"(?<!\w)@\w+", normalise(text)))


@pytest.mark.parametrize(
    ("tag", "words"),
    [("PetroPresidente", "Petro Presidente"), ("ELNCombate", "ELN Combate"), ("vamos", "vamos"), ("AÑO", "AÑO")],
)
def test_hashtag_words(tag: str, words: str) -> None:
    """A hashtag is split at case changes, and stays whole where there are none."""
    assert split_hashtag(tag) == words


@pytest.mark.parametrize(
    ("written", "read"),
    [("jajajaja", "jaja"), ("AJAJAJ", "jaja"), ("jjaajajaa", "jaja"), ("jaja", "jaja"), ("ja ja", "ja ja"),
     ("ajá", "ajá"), ("jajat", "jajat"), ("ja" * 5000 + "x", "ja" * 5000 + "x")],
)  # fmt: skip
def test_laughter(written: str, read: str) -> None:
    """A word of j and a with two syllables of laughter is laughter, however long; a longer word is not."""
    assert robertuito(written) == read


@pytest.mark.parametrize("model_form", [normalise, handles, robertuito])
def test_a_reference_to_no_character_stays(model_form: Callable[[str], str]) -> None:
    """A number of thousands of digits in a text is no failure, and other references are read."""
    assert model_form(f"sí &amp; &#{'98' * 2500};").startswith("sí & &")

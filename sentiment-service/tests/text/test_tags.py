"""Hashtags and handles in one case that name a target."""

from __future__ import annotations

import unicodedata

import pytest

from sentiment_service.text.tags import spelled_out


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("¡#todosconpetro!", "Petro", "¡todos con Petro!"),
        ("#PETROPRESIDENTE2022 ya", "Petro", "Petro PRESIDENTE 2022 ya"),
        ("gracias @gustavopetro", "Gustavo Petro", "gracias Gustavo Petro"),
        ("#fuera_lopez", "López", "fuera López"),
        ("con #conRubalcaba", "#conrubalcaba", "con conrubalcaba"),
        ("voto #UPyD", "upyd", "voto upyd"),
        ("#votapp y #nomasPP", "PP", "vota PP y no mas PP"),
        ("#gañánya", "Gañán", "Gañán ya"),
        ("#noley100 y #ley100_2023", "Ley 100", "no Ley 100 y Ley 100 2023"),
        ("#si_20_20", "20", "si 20 20"),
    ],
)
def test_a_tag_that_names_the_target_is_written_as_words(text: str, target: str, expected: str) -> None:
    """Between words of campaigns and digits, as a whole, with other accents, signs and case."""
    assert spelled_out(text, target) == expected
    assert spelled_out(unicodedata.normalize("NFD", text), unicodedata.normalize("NFD", target)) == expected


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("#petroleo y #petrobras", "Petro"),
        ("#nomasmentiras", "Mas"),
        ("#comas", "mas"),
        ("todosconpetro", "Petro"),
        ("ana@petro.co &amp; #otros", "Petro"),
        ("#apetro", "a"),
        ("#petro", "@#"),
        ("#ab " * 9, f"a{'.' * 90}b"),
        ("https://www.tiktok.com/@gustavopetro", "Gustavo Petro"),
        (f"#{'1' * 99}x", "11"),
        (f"#{'vota' * 40}petro", "Petro"),
        ("#ley1000 ya", "Ley 100"),
        ("#m1990 y #m_1990", "M-19"),
        ("#artículo195", "Artículo 19"),
        ("#2022 y #vota120", "20"),
        ("#١٢٣", "١٢"),
    ],
)
def test_other_texts_come_back_as_they_are(text: str, target: str) -> None:
    """Other words and numbers that hold the name, common words or signs, no tag, links, tags longer than X allows."""
    assert spelled_out(text, target) == text

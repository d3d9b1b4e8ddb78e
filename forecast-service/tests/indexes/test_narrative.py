"""Narrative indexes: the published values, whole words, accents."""

from __future__ import annotations

import pytest

from forecast_service.indexes.narrative import ScoredText, ivn, narrative

TEXTS = [
    ScoredText("Prefiero a Ana Gómez, es mejor", 0.8, 0.1),
    ScoredText("Ana Gómez vs Luis, Ana Gómez es peor", 0.1, 0.7),
    ScoredText("hay esperanza en el progreso", 0.6, 0.1),
    ScoredText("qué crisis y frustración", 0.1, 0.6),
]


def test_the_published_values() -> None:
    """Four texts about Ana Gómez give SVE .5, SNA .025, CP .5, NMI .025 and IVN .505."""
    found = narrative(TEXTS, "Ana Gómez")
    assert (found.sve, found.cp, found.comparisons) == (0.5, 0.5, 2)
    assert (found.sna, found.nmi, found.ivn) == pytest.approx((0.025, 0.025, 0.505))
    assert found.band == "neutral"


def test_ivn_of_nothing_in_particular_is_a_half() -> None:
    """IVN(.5, 0, .5, 0) = .5; its ends are 0 and 1."""
    assert [ivn(0.5, 0, 0.5, 0), ivn(1, 1, 1, 1), ivn(0, -1, 0, -1)] == pytest.approx([0.5, 1, 0])


@pytest.mark.parametrize("name", ["Ana Gomez", "ANA GÓMEZ", "Ana Go\u0301mez"])
def test_accents_case_and_composition_do_not_matter(name: str) -> None:
    """A name typed in another way is the same name."""
    assert narrative(TEXTS, name) == narrative(TEXTS, "Ana Gómez")


def test_names_are_whole_words() -> None:
    """'Paz' is not in 'capaz' and 'Gómez' not in 'Gómezplaza'; a name of short words counts when it is whole."""
    texts = [ScoredText("es capaz", 0.5, 0.5), ScoredText("Gómezplaza", 0.5, 0.5), ScoredText("ana  paz", 0.5, 0.5)]
    assert narrative(texts, "Ana Paz").sve == pytest.approx(1 / 3)
    assert narrative(texts, "Ana Gómez").sve == 0


def test_few_texts_leave_a_wide_band() -> None:
    """The error of IVN falls with the root of the number of texts; without a comparison part of it stays."""
    assert narrative(TEXTS * 100, "Ana Gómez").error < narrative(TEXTS, "Ana Gómez").error / 5
    assert narrative(TEXTS[2:] * 1000, "Ana Gómez").error > 0.05

"""Sentiment towards targets by the bundled model, which was trained on pairs of text and target."""

from __future__ import annotations

import random
import unicodedata

import pytest

from sentiment_service.classifiers.base import LABELS, TargetedText, TargetReading
from sentiment_service.classifiers.loader import load_model
from sentiment_service.targets.model import ABSENT
from sentiment_service.targets.service import ask_model

THANKS = "Excelente la alcaldesa Ríos, felicitaciones por cumplir. El ministro Gómez es un desastre"


@pytest.fixture(scope="module")
def reader() -> TargetReading:
    """The reader of pairs of the model that ships."""
    found = load_model("bundled", threads=1).target_reader
    assert found is not None
    return found


def label(reader: TargetReading, text: str, target: str) -> str:
    """Return the label towards the target."""
    return reader.classify([TargetedText(text, target)])[0].label


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("Voto por Petro, es el mejor candidato que hemos tenido", "Petro", "positive"),
        ("Fuera Petro, qué vergüenza de presidente, nos mintió a todos", "Petro", "negative"),
        ("Petro se reúne hoy con los alcaldes a las 10", "Petro", "neutral"),
        (THANKS, "Ríos", "positive"),
        (THANKS, "Gómez", "negative"),
    ],
)
def test_plain_cases(reader: TargetReading, text: str, target: str, expected: str) -> None:
    """Support, outrage, an announcement, and two targets of one text with different labels."""
    assert label(reader, text, target) == expected


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(reader: TargetReading) -> None:
    """Pairs alone, together and shuffled have answers that are equal to the last bit."""
    pairs = [TargetedText(f"{THANKS} {'bla ' * n}", name) for n in range(12) for name in ("Ríos", "Gómez")]
    alone = [reader.classify([pair])[0] for pair in pairs]
    assert reader.classify(pairs) == alone
    order = random.Random(1).sample(range(len(pairs)), len(pairs))
    assert reader.classify([pairs[at] for at in order]) == [alone[at] for at in order]


def test_composition_changes_no_answer(reader: TargetReading) -> None:
    """Decomposed letters in the text or in the target give the same answer."""
    plain = reader.classify([TargetedText(THANKS, "Ríos")])
    apart = unicodedata.normalize("NFD", THANKS)
    assert reader.classify([TargetedText(apart, unicodedata.normalize("NFD", "Ríos"))]) == plain
    assert sum(getattr(plain[0], one) for one in LABELS) == pytest.approx(1)


def test_a_tag_in_one_case_is_read_as_the_words_it_holds() -> None:
    """`#votapetro` asks the model for what `vota Petro` asks; a tag of another word leaves the target absent."""
    asked = ask_model("El domingo #votapetro, la mejor opción", "Petro", ())
    assert asked == ask_model("El domingo vota Petro, la mejor opción", "Petro", ())
    assert ask_model("El precio del #petroleo", "Petro", ()) == ABSENT

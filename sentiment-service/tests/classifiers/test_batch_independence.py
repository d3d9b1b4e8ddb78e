"""The scores of a text depend on that text alone: not on the texts beside it, nor on how it is composed or styled."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from itertools import permutations

import pytest

from sentiment_service.classifiers.base import LABELS, Classifier, Scores
from sentiment_service.classifiers.loader import load_model

_SUBJECTS = ("La alcaldesa", "El ministro", "Ese senador", "Mi vecina", "El gobierno", "La selección", "@alguien")
_VERBS = ("cumplió", "mintió otra vez", "habló en la plaza", "se robó la plata", "nos alegró el día", "no hizo nada")
_ENDS = ("", "!!!", " y la gente está feliz", " 😡", " #NoMásCorrupción", " hoy a las 10", " pero nadie le cree ya")
_PRAISE = "Qué alegría tan grande, excelente propuesta, felicitaciones al equipo por un trabajo maravilloso. "
_FILLER = "El candidato llegó a la plaza a las nueve y habló con los asistentes sobre el programa. " * 12
_ABUSE = "Es una vergüenza absoluta, una mentira y un robo; este candidato es lo peor que le ha pasado al país. " * 4


def generated(count: int) -> list[str]:
    """Return different texts of 3 to about 60 words."""
    draw = random.Random(11)
    found: dict[str, None] = {}
    while len(found) < count:
        parts = (
            f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)}{draw.choice(_ENDS)}" for _ in range(draw.randint(1, 6))
        )
        found[". ".join(parts)] = None
    return list(found)


@pytest.fixture(scope="module")
def bundled() -> Classifier:
    """The model that ships."""
    return load_model("bundled", threads=1)


def in_batches(model: Classifier, texts: Sequence[str], size: int) -> dict[str, Scores]:
    """Return the scores of each text, computed in batches of ``size``."""
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    return {text: scores for batch in batches for text, scores in zip(batch, model.classify(batch), strict=True)}


@pytest.mark.parametrize("name", ["bundled", "bundled-fast"])
def test_a_score_does_not_depend_on_its_neighbours(name: str) -> None:
    """240 texts alone, together, in batches and shuffled have scores that are equal to the last bit."""
    model, texts = load_model(name, threads=1), generated(240)
    alone = in_batches(model, texts, 1)
    for size in (7, 100, len(texts)):
        shuffled = random.Random(size).sample(texts, len(texts))
        assert in_batches(model, shuffled, size) == alone


def test_a_score_does_not_depend_on_a_long_neighbour(bundled: Classifier) -> None:
    """A neighbour many times as long changes no bit of a short text's scores."""
    texts = generated(20)
    beside = [scores for text in texts for scores in bundled.classify([text, _FILLER + text])[:1]]
    assert beside == [bundled.classify([text])[0] for text in texts]


@pytest.mark.parametrize("name", ["bundled", "bundled-fast"])
def test_composition_and_style_change_no_score(name: str) -> None:
    """A text in NFD, with invisible characters or in bold has the scores of the plain text."""
    model = load_model(name, threads=1)
    text = "#NoMásCorrupción, qué vergüenza de señor"
    bold = "".join(chr(0x1D41A + ord(one) - ord("a")) if "a" <= one <= "z" else one for one in "qué vergüenza de señor")
    hidden = text.replace("vergüenza", "ver\u200bgüen\u00adza")
    variants = [unicodedata.normalize("NFD", text), hidden, f"#NoMásCorrupción, {bold}"]
    assert len({text, *variants}) == 4
    assert model.classify(variants) == model.classify([text]) * 3


def test_a_long_text_is_read_to_its_end(bundled: Classifier) -> None:
    """Praise, neutral sentences and four times as much abuse are negative in any order, with the same scores."""
    parts = permutations((_PRAISE, _FILLER, _ABUSE))
    found = [bundled.classify(["".join(order)])[0] for order in parts]
    assert {scores.label for scores in found} == {"negative"}
    for label in LABELS:
        values = [getattr(scores, label) for scores in found]
        assert max(values) - min(values) < 0.02
    assert bundled.classify([_FILLER + _PRAISE * 4])[0].label == "positive"
    assert bundled.classify([_FILLER])[0].label == "neutral"


def test_the_windows_of_a_text_are_counted(bundled: Classifier) -> None:
    """A text that fits is one window; a long one has a window for each sentence, a long sentence more than one."""
    short, long, unmarked = bundled.sizes([_PRAISE, _FILLER, "bla ble bli " * 200])
    assert (short.windows, long.windows) == (1, 12)
    assert unmarked.windows > 1
    assert unmarked.tokens > 400

"""What the outputs of models are called, and what they mean."""

from __future__ import annotations

import pytest

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.base import Label
from sentiment_service.classifiers.labels import outputs_of

THREE: tuple[Label, ...] = ("negative", "neutral", "positive")


@pytest.mark.parametrize(
    "names",
    [
        ("NEG", "NEU", "POS"),
        ("negative", "neutral", "positive"),
        ("Negative", "Neutral", "Positive"),
        ("negativo", "neutro", "positivo"),
        ("NEGATIVE", "NEUTRAL", "POSITIVE"),
    ],
)
def test_names_of_three_labels(names: tuple[str, ...]) -> None:
    """What RoBERTuito, XLM-T and others call the labels is understood."""
    assert outputs_of(dict(enumerate(names))) == THREE


def test_the_order_is_that_of_the_outputs() -> None:
    """The numbers of the outputs say the order, not the order of the mapping; JSON makes them texts."""
    assert outputs_of({"2": "positive", "10": "neutral", "0": "negative"}) == ("negative", "positive", "neutral")


def test_several_outputs_may_mean_one_label() -> None:
    """One and two stars are negative, three neutral, four and five positive; so are very negative and very positive."""
    stars = {0: "1 star", 1: "2 stars", 2: "3 stars", 3: "4 stars", 4: "5 stars"}
    degrees = {0: "Very Negative", 1: "Negative", 2: "Neutral", 3: "Positive", 4: "Very_Positive"}
    five = ("negative", "negative", "neutral", "positive", "positive")
    assert outputs_of(stars) == outputs_of(degrees) == five


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), "SENTIMENT_LABELS=negative,neutral,positive"),
        (("joy", "anger", "neutral"), "--labels negative neutral positive"),
        (("positive", "neutral", "negative", "mixed"), "id2label"),
        (("LABEL_0", "LABEL_1"), "too few outputs"),
        (("NEGATIVE", "POSITIVE"), "choose another"),
    ],
)
def test_other_names_are_refused(names: tuple[str, ...], remedy: str) -> None:
    """Names that say nothing, emotions, two labels: the error names them and says what to do."""
    with pytest.raises(ModelArtifactError, match=", ".join(names)) as refused:
        outputs_of(dict(enumerate(names)))
    assert remedy in str(refused.value)


def test_the_caller_may_say_what_they_mean() -> None:
    """Given labels are those of the outputs in their order, whatever their names; the count must fit."""
    numbered = {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    assert outputs_of(numbered, THREE) == THREE
    with pytest.raises(ModelArtifactError, match="names 3 labels, but the model has 2 outputs: LABEL_0, LABEL_1"):
        outputs_of({0: "LABEL_0", 1: "LABEL_1"}, THREE)
    with pytest.raises(ModelArtifactError, match="LABEL_0, LABEL_1, LABEL_2"):
        outputs_of(numbered, ("negative", "negative", "positive"))

"""Drift of the answers against the reference of the model's card."""

from __future__ import annotations

import math

import pytest
from prometheus_client import REGISTRY

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import Scores
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier
from sentiment_service.inference.drift import LEAST, Drift, reference_of, stability_index

POSITIVE, NEUTRAL, NEGATIVE = Scores(0.8, 0.1, 0.1), Scores(0.2, 0.55, 0.25), Scores(0.05, 0.05, 0.9)


def index(of: str) -> float:
    """Return the gauge."""
    return REGISTRY.get_sample_value("castor_sentiment_drift_psi", {"of": of}) or 0.0


def test_the_index() -> None:
    """Equal distributions have index 0; the index of others is the sum of (a - b) ln(a / b), finite for empty bins."""
    assert stability_index([0.2, 0.8], [0.2, 0.8]) == 0
    expected = (0.5 - 0.2) * math.log(0.5 / 0.2) + (0.5 - 0.8) * math.log(0.5 / 0.8)
    assert stability_index([0.5, 0.5], [0.2, 0.8]) == pytest.approx(expected)
    assert math.isfinite(stability_index([1.0, 0.0], [0.0, 1.0]))


def test_what_looks_like_the_reference_does_not_drift_and_what_does_not_does() -> None:
    """The gauges are near 0 for traffic like the reference, and far above 0.25 when all of it is of one kind."""
    usual = [POSITIVE, NEUTRAL, NEGATIVE] * LEAST
    drift = Drift(reference_of(usual))
    drift.note(usual)
    assert max(index("label"), index("confidence")) < 0.01
    drift.note([NEGATIVE] * 2000)
    assert min(index("label"), index("confidence")) > 0.25


def test_too_few_texts_say_nothing() -> None:
    """Before there are enough texts the gauges stay as they are."""
    drift = Drift(reference_of([POSITIVE, NEUTRAL, NEGATIVE] * LEAST))
    before = index("label")
    drift.note([NEGATIVE] * (LEAST - 1))
    assert index("label") == before


def test_the_linear_model_has_a_reference() -> None:
    """The card's shares sum to 1 and name the texts that they were counted on."""
    reference = LinearClassifier.load().model.reference
    assert sum(reference["labels"].values()) == pytest.approx(1, abs=1e-3)
    assert sum(reference["confidence"]) == pytest.approx(1, abs=1e-3)
    assert ModelFolder(LINEAR_MODEL, "").manifest()["reference"]["texts"]

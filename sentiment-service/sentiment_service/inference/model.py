"""Records of scoring: a text for the model to compute, and a text with its scores."""

from __future__ import annotations

from dataclasses import dataclass

from sentiment_service.classifiers.base import Scores
from sentiment_service.inference.questions import Question

_NEUTRAL = Scores(0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A question to compute: ``key`` is equal where the result is, ``cost`` is its number of tokens (at least 1).

    ``windows`` is in how many parts the model reads it.
    """

    key: str
    question: Question
    cost: int
    windows: int = 1


@dataclass(frozen=True, slots=True)
class ScoredText:
    """Scores of a text; with a ``reason`` they are not the model's, because it was not asked.

    ``windows`` is in how many parts the model read it.
    """

    scores: Scores
    reason: str | None = None
    windows: int = 1


def unscored(reason: str) -> ScoredText:
    """Return neutral scores (0, 1, 0) for a text that the model is not asked about, and why it is not."""
    return ScoredText(_NEUTRAL, reason)

"""Records of sentiment towards a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sentiment_service.classifiers.base import Scores
from sentiment_service.inference.questions import Question

RULES_VERSION = "1"
Basis = Literal["preference", "event", "side", "irony", "reported", "words", "model"]


@dataclass(frozen=True, slots=True)
class TargetSentiment:
    """Sentiment towards one target and its basis; ``scores`` is None where the text does not name the target.

    ``windows`` is in how many parts the model read the text's clause.
    """

    scores: Scores | None
    basis: Basis | None = None
    reason: str | None = None
    windows: int = 1


@dataclass(frozen=True, slots=True)
class PendingTarget:
    """A target for the model: ``question`` is the text with the target, or the part of the text that is about it."""

    question: Question


ABSENT = TargetSentiment(None)

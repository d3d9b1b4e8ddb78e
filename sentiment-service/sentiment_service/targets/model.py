"""Records of sentiment towards a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sentiment_service.classifiers.base import Scores

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
    """A target that the rules leave open: the model is to score ``scope``, the part of the text about the target."""

    scope: str


ABSENT = TargetSentiment(None)

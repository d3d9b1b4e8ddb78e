"""Which model answers, and what it answers: loading by name, warming up, and judging a batch of texts."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from pathlib import Path

from sentiment_service.classifier import LINEAR_MODEL, Classifier, LinearClassifier, ModelCard, ModelError, Scores
from sentiment_service.errors import ModelUnavailable
from sentiment_service.metrics import MODEL

BUNDLED = "bundled"
_NEUTRAL = Scores(0.0, 1.0, 0.0)
_WARM_UP = ("Qué alegría, gracias a todos", "Qué tristeza, nos mintieron otra vez", "La rueda de prensa es a las 10")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores of a text, and the reason where they were not the model's to give."""

    scores: Scores
    reason: str | None = None


def unscored(reason: str) -> Judgement:
    """Return the judgement of a text that the model must not guess: neutral, and why."""
    return Judgement(_NEUTRAL, reason)


def load_model(name: str) -> Classifier:
    """Load the model in the folder ``name`` (or ``bundled``) and warm it up; raises ``ModelError``."""
    classifier = LinearClassifier.load(LINEAR_MODEL if name == BUNDLED else Path(name))
    for text, scores in zip(_WARM_UP, classifier.classify(_WARM_UP), strict=True):
        if not math.isclose(scores.positive + scores.neutral + scores.negative, 1.0, abs_tol=1e-3):
            raise ModelError(
                f"The model {name} answers '{text}' with {scores}, which are no probabilities; rebuild it."
            )
    MODEL.info({"id": classifier.model.id, "version": classifier.model.version})
    return classifier


class LoadedModel:
    """The model of a service that is live before its model is loaded."""

    def __init__(self, loading: asyncio.Task[Classifier]) -> None:
        self._loading = loading

    @property
    def classifier(self) -> Classifier:
        """The model; raises ``ModelUnavailable`` with the reason while there is none."""
        if not self._loading.done():
            raise ModelUnavailable(
                reason="The sentiment model is still loading; try again as Retry-After says.", retry_after_seconds=1
            )
        error = self._loading.exception()
        if error is not None:
            raise ModelUnavailable(reason=str(error) or type(error).__name__, retry_after_seconds=30)
        return self._loading.result()

    @property
    def card(self) -> ModelCard:
        """What the model says about itself; raises like ``classifier``."""
        return self.classifier.model

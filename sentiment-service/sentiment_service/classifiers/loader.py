"""Which model answers: loading by name, and a first inference that checks it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import REMEDY, Classifier, ModelCard
from sentiment_service.classifiers.hub import ModelSource
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.onnx_runtime import cpu_limit
from sentiment_service.classifiers.pretrained import CONFIG_FILE, Defaults, load_pretrained
from sentiment_service.classifiers.transformer import TransformerClassifier
from sentiment_service.errors import ModelUnavailable
from sentiment_service.metrics import MODEL

BUNDLED = "bundled"
BUNDLED_FAST = "bundled-fast"
BUNDLED_MODEL = Path(__file__).parents[1] / "models" / "transformer"
_WARM_UP = ("Qué alegría, gracias a todos", "Qué tristeza, nos mintieron otra vez", "La rueda de prensa es a las 10")
_LOOK_UP = ModelSource()
_DEFAULTS = Defaults()


def load_model(
    name: str, *, source: ModelSource = _LOOK_UP, threads: int | None = None, defaults: Defaults = _DEFAULTS
) -> Classifier:
    """Load the model ``name`` and run it once.

    Args:
        name: `bundled`, `bundled-fast`, a model folder, or a Hugging Face id, which ``source`` finds.
        source: Where models are looked for.
        threads: Threads of a transformer's session; by default the processors that this process may use.
        defaults: What holds where the folder of a Hugging Face model does not say it.

    Raises:
        ModelArtifactError: The model cannot be found or loaded; the message says what to do.
    """
    classifier = _load(name, source, threads or cpu_limit(), defaults)
    for text, scores in zip(_WARM_UP, classifier.classify(_WARM_UP), strict=True):
        if not math.isclose(scores.positive + scores.neutral + scores.negative, 1.0, abs_tol=1e-3):
            raise ModelArtifactError(
                f"The model {name} answers '{text}' with {scores}, which are no probabilities; rebuild it."
            )
    MODEL.info({"id": classifier.model.id, "version": classifier.model.version})
    return classifier


def _load(name: str, source: ModelSource, threads: int, defaults: Defaults) -> Classifier:
    if name == BUNDLED_FAST:
        return LinearClassifier.load()
    folder = BUNDLED_MODEL if name == BUNDLED else source.folder(name)
    if (folder / CONFIG_FILE).is_file():
        return load_pretrained(name, folder, threads=threads, defaults=defaults)
    manifest = ModelFolder(folder, REMEDY).manifest()
    if "features" in manifest:
        return LinearClassifier.load(folder)
    # Only a model that was fitted beside the linear one needs it.
    linear = LinearClassifier.load() if "blend" in manifest else None
    return TransformerClassifier.load(folder, threads=threads, linear=linear)


class LoadedModel:
    """The model of a service that is live before its model is loaded."""

    def __init__(self, loading: asyncio.Task[Classifier]) -> None:
        self._loading = loading

    @property
    def is_loaded(self) -> bool:
        """Whether there is a model to ask."""
        return self._loading.done() and not self._loading.cancelled() and self._loading.exception() is None

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

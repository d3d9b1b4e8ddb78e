"""Which model answers: loading by name, and a first inference that checks it."""

from __future__ import annotations

import asyncio
import math
import re
from pathlib import Path

from sentiment_service.classifiers.artifacts import ModelError, read_manifest
from sentiment_service.classifiers.base import Classifier, ModelCard
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.transformer import TransformerClassifier
from sentiment_service.errors import ModelUnavailable
from sentiment_service.metrics import MODEL

BUNDLED = "bundled"
BUNDLED_FAST = "bundled-fast"
BUNDLED_MODEL = Path(__file__).parents[1] / "models" / "transformer"
EXPORTED = Path("models")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WARM_UP = ("Qué alegría, gracias a todos", "Qué tristeza, nos mintieron otra vez", "La rueda de prensa es a las 10")


def load_model(name: str, *, store: Path = EXPORTED, threads: int | None = None) -> Classifier:
    """Load the model that ``name`` names and warm it up; raises ``ModelError``.

    ``name`` is `bundled`, `bundled-fast`, a model folder, or a Hugging Face id that `export` has put into ``store``.
    ``threads`` are those of a transformer's session, by default the processors that this process may use.
    """
    classifier = _load(name, store, threads)
    for text, scores in zip(_WARM_UP, classifier.classify(_WARM_UP), strict=True):
        if not math.isclose(scores.positive + scores.neutral + scores.negative, 1.0, abs_tol=1e-3):
            raise ModelError(
                f"The model {name} answers '{text}' with {scores}, which are no probabilities; rebuild it."
            )
    MODEL.info({"id": classifier.model.id, "version": classifier.model.version})
    return classifier


def _load(name: str, store: Path, threads: int | None) -> Classifier:
    if name == BUNDLED_FAST:
        return LinearClassifier.load()
    folder = BUNDLED_MODEL if name == BUNDLED else _folder(name, store)
    manifest = read_manifest(folder)
    if "features" in manifest:
        return LinearClassifier.load(folder)
    # Only a model that was fitted beside the linear one needs it.
    linear = LinearClassifier.load() if "blend" in manifest else None
    return TransformerClassifier.load(folder, threads=threads, linear=linear)


def _folder(name: str, store: Path) -> Path:
    """Return the folder that ``name`` is, or the one to which the Hugging Face id ``name`` was exported."""
    given = Path(name)
    if given.is_dir():
        return given
    exported = store / exported_name(name)
    if _HUB_ID.fullmatch(name) and exported.is_dir():
        return exported
    if _HUB_ID.fullmatch(name):
        raise ModelError(
            f"The model {name} is neither a folder nor exported to {exported}; run "
            f"`python -m sentiment_service export {name} --out {exported}` where torch and transformers are installed."
        )
    raise ModelError(
        f"There is no model folder {name}; SENTIMENT_MODEL is '{BUNDLED}', '{BUNDLED_FAST}', a folder or an exported "
        "Hugging Face id."
    )


def exported_name(hub_id: str) -> str:
    """Return the name of the folder of an exported Hugging Face id: `owner/name` -> `owner--name`."""
    return hub_id.replace("/", "--")


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

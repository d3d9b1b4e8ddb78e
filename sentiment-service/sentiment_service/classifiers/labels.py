"""What the outputs of a model mean: from the names in its configuration to positive, neutral and negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from castor_chassis import ModelArtifactError
from sentiment_service.classifiers.base import LABELS, Label

_NAMES: Mapping[Label, str] = {
    "positive": "pos|positive|positivo|positiva|very positive|muy positivo|muy positiva|p|p+|4 stars|5 stars",
    "neutral": "neu|neutral|neutro|neutra|3 stars",
    "negative": "neg|negative|negativo|negativa|very negative|muy negativo|muy negativa|n|n+|1 star|2 stars",
}
_TOO_FEW = "This model has too few outputs to tell them apart; choose another."
_IN_ORDER = (
    "If they do, say in which order: SENTIMENT_LABELS=negative,neutral,positive (for an export: --labels negative "
    "neutral positive), or id2label in its config.json."
)
_LABEL_OF = {name: label for label, names in _NAMES.items() for name in names.split("|")}


def outputs_of(id2label: Mapping[Any, str], given: Sequence[Label] | None = None) -> tuple[Label, ...]:
    """Return the label of each output, in the order of the outputs; several may have one label, as stars have.

    Args:
        id2label: The names of the outputs, as ``config.json`` has them.
        given: The labels where the names say nothing (``LABEL_0``); they take precedence.

    Raises:
        ModelArtifactError: A name is not known, or a label has no output.
    """
    names = [str(id2label[key]) for key in sorted(id2label, key=int)]
    if given is not None and len(given) != len(names):
        raise ModelArtifactError(
            f"SENTIMENT_LABELS (--labels of the export) names {len(given)} labels, but the model has {len(names)} "
            f"outputs: {', '.join(names)}."
        )
    outputs = given or [label for name in names if (label := _LABEL_OF.get(_plain(name)))]
    if len(outputs) < len(names) or set(outputs) != set(LABELS):
        raise ModelArtifactError(
            f"The model's labels are {', '.join(names)}; this service needs outputs that mean positive, neutral and "
            f"negative. {_TOO_FEW if len(names) < len(LABELS) else _IN_ORDER}"
        )
    return tuple(outputs)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())

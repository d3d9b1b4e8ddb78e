"""Run by ``bench._sentiment_peers``: the model without a service, in the batches that suit it best."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from sentiment_service.classifier import LABELS, Classifier
from sentiment_service.model import load_model
from sentiment_service.transformer import TransformerClassifier


def labels(model: Classifier, texts: Sequence[str]) -> list[str]:
    """Return the labels; of a transformer by tokenizer and session alone, without what the service mixes in.

    Both kinds sort the texts by length and cut them into runs themselves.
    """
    if isinstance(model, TransformerClassifier):
        return [LABELS[best] for best in model.logits(texts).argmax(axis=1)]
    return [scores.label for scores in model.classify(texts)]


if __name__ == "__main__":
    model = load_model(sys.argv[1])
    print(json.dumps({"ready": True}), flush=True)
    for row in sys.stdin:
        print(json.dumps({"labels": labels(model, json.loads(row)["texts"])}), flush=True)

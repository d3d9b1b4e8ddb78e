"""Run by ``bench.sentiment.processes``: the model without a service, in the batches that suit it best or one by one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from sentiment_service.classifiers.base import LABELS, Classifier, softmax
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.transformer import TransformerClassifier


def answers(model: Classifier, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return label and probability of each; of a transformer by tokenizer and session alone, nothing mixed in.

    Both kinds sort the texts by length and cut them into runs themselves.
    """
    if isinstance(model, TransformerClassifier):
        rows = softmax(model.logits(texts))
        return [(LABELS[best], float(row[best])) for best, row in zip(rows.argmax(axis=1), rows, strict=True)]
    return [(scores.label, scores.confidence) for scores in model.classify(texts)]


if __name__ == "__main__":
    model = load_model(sys.argv[1])
    print(json.dumps({"ready": True}), flush=True)
    for row in sys.stdin:
        asked = json.loads(row)
        groups = [[text] for text in asked["texts"]] if asked["batch"] == 1 else [asked["texts"]]
        print(json.dumps({"answers": [one for group in groups for one in answers(model, group)]}), flush=True)

"""Run by ``bench._sentiment_peers``: the model without a service, in the batches that suit it best."""

from __future__ import annotations

import json
import sys

from sentiment_service.model import load_model
from sentiment_service.transformer import TransformerClassifier

if __name__ == "__main__":
    model = load_model(sys.argv[1])
    # A transformer without what the service mixes in: tokenizer and session alone. Both sort and cut into runs.
    score = model.logits if isinstance(model, TransformerClassifier) else model.classify
    print(json.dumps({"ready": True}), flush=True)
    for row in sys.stdin:
        print(json.dumps({"texts": len(score(json.loads(row)["texts"]))}), flush=True)

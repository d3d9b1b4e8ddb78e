"""Run by ``bench.sentiment.processes`` in an environment with torch: ``transformers.pipeline`` as its users call it."""

import json
import sys

import transformers

if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    classify = transformers.pipeline(
        "text-classification", model=sys.argv[1], trust_remote_code=True, device="cpu", truncation=True
    )
    classify("calentar")
    print(json.dumps({"ready": True}), flush=True)
    for row in sys.stdin:
        asked = json.loads(row)
        if asked["batch"] == 1:
            answers = [classify(text)[0] for text in asked["texts"]]
        else:
            answers = classify(asked["texts"], batch_size=asked["batch"])
        print(json.dumps({"answers": [(one["label"], one["score"]) for one in answers]}), flush=True)

"""Measure a model on the hand-written probes: share right and mean probability of the right label, by kind.

    python training/probe.py [--model bundled] [--errors]

`probe_colombia.tsv` has `label TAB kind TAB text`: sentences in the manner of Colombian political tweets, written and
labelled by one person for this project before any model read them. They show tendencies, not accuracy in the field.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from sentiment_service.classifiers.loader import load_model

PROBES = Path(__file__).parent / "probe_colombia.tsv"


def main() -> None:
    """Print the table as JSON, and the errors on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    rows = [line.split("\t") for line in PROBES.read_text(encoding="utf-8").splitlines()]
    answers = load_model(options.model).classify([text for _, _, text in rows])
    groups: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for (label, kind, text), scores in zip(rows, answers, strict=True):
        for group in (kind, "all"):
            groups[group].append((scores.label == label, getattr(scores, label)))
        if options.errors and scores.label != label:
            print(f"{kind}: {label} taken for {scores.label} ({scores.confidence:.2f}): {text}")
    table = {
        kind: {
            "texts": len(found),
            "right": sum(right for right, _ in found),
            "mean_probability": round(sum(probability for _, probability in found) / len(found), 3),
        }
        for kind, found in groups.items()
    }
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()

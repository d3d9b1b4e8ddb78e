"""Write what linear models say of Spanish training texts that they did not see, in the folds of `finetune.py`.

    python training/cross_linear.py --train es.tsv --extra other.tsv --folds 5 --out linear.npy

The file has log probabilities of shape (texts, LABELS).
"""

import argparse
from pathlib import Path

import numpy as np
from evaluate import read_labelled  # type: ignore[import-not-found, unused-ignore]
from train_linear import corpus_of, fit, read_extra  # type: ignore[import-not-found, unused-ignore]

from sentiment_service.classifiers.base import LABELS, softmax
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier


def main() -> None:
    """Fit one linear model for each fold, at the temperature of the shipped one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--train", "--extra", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    shipped = LinearClassifier.load(LINEAR_MODEL)
    spanish = corpus_of(shipped.space, *read_labelled(options.train))
    extra = corpus_of(shipped.space, *read_extra(options.extra))
    logits = np.zeros((len(spanish.classes), len(LABELS)))
    for fold in range(options.folds):
        unseen = np.arange(len(logits)) % options.folds == fold
        trained = fit(shipped.space, spanish.pick(np.flatnonzero(~unseen)).join(extra))
        logits[unseen] = trained.logits(shipped.space, spanish.pick(np.flatnonzero(unseen)))
    np.save(options.out, np.log(softmax(logits / shipped.temperature)))


if __name__ == "__main__":
    main()

"""Train the linear model from labelled text and write a model folder. See README.md for the exact commands.

    python training/train_linear.py --train es.tsv --validation es_val.tsv --extra other.tsv --out DIR

--train and --validation have `label TAB text` lines in Spanish; --extra has `language TAB label TAB text` lines,
of which Portuguese (`po`) and English (`en`) are used. The validation file is only measured, never trained on.
The lexicon is read from and kept in DIR.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import Classes, Rows, read_labelled, report, summary  # type: ignore[import-not-found, unused-ignore]
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from sentiment_service.classifiers.base import LABELS, softmax
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier
from sentiment_service.classifiers.linear_features import FeatureSpace, Floats, Lexicon

MODEL_ID = "castor-linear-es"
LANGUAGES = ("es", "en", "pt")
EXTRA_LANGUAGES = ("po", "en")
INVERSE_REGULARISATION = 1.0
FOLDS = 5
REPEATS = 3


@dataclass(frozen=True)
class Corpus:
    """Raw feature counts (words, characters, cues) and the class index of each text."""

    counts: tuple[csr_matrix, csr_matrix, csr_matrix]
    classes: Classes

    def pick(self, rows: Classes) -> "Corpus":
        """Return the given rows."""
        words, chars, cues = self.counts
        return Corpus((words[rows], chars[rows], cues[rows]), self.classes[rows])

    def join(self, other: "Corpus") -> "Corpus":
        """Return both corpora, this one first."""
        words, chars, cues = (vstack(pair, format="csr") for pair in zip(self.counts, other.counts, strict=True))
        return Corpus((words, chars, cues), np.concatenate([self.classes, other.classes]))


@dataclass(frozen=True)
class Fit:
    """A trained model before quantisation; rows of `coefficients` follow LABELS."""

    word_idf: Floats
    char_idf: Floats
    coefficients: Rows
    intercept: Rows

    def logits(self, space: FeatureSpace, corpus: Corpus) -> Rows:
        """Return logits of shape (texts, labels)."""
        matrix = space.weigh(*corpus.counts, self.word_idf, self.char_idf)
        return np.asarray(matrix @ self.coefficients.T + self.intercept)


def corpus_of(space: FeatureSpace, labels: Sequence[str], texts: Sequence[str]) -> Corpus:
    """Count the features of labelled texts."""
    return Corpus(space.counts(texts), np.array([LABELS.index(label) for label in labels]))


def read_extra(path: Path) -> tuple[list[str], list[str]]:
    """Return labels and texts of the other languages that help."""
    rows = [line.split("\t", 2) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    kept = [row for row in rows if row[0] in EXTRA_LANGUAGES]
    return [row[1] for row in kept], [row[2] for row in kept]


def idf(counts: csr_matrix) -> Floats:
    """Return smooth inverse document frequencies, `1 + ln((1 + n) / (1 + df))`, rounded to what is stored."""
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    exact: Floats = 1.0 + np.log((1 + counts.shape[0]) / (1 + seen))
    return np.asarray(exact.astype(np.float16), dtype=np.float32)


def fit(space: FeatureSpace, corpus: Corpus) -> Fit:
    """Train one multinomial logistic regression."""
    word_idf, char_idf = idf(corpus.counts[0]), idf(corpus.counts[1])
    matrix = space.weigh(*corpus.counts, word_idf, char_idf)
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500, tol=1e-4).fit(matrix, corpus.classes)
    return Fit(word_idf, char_idf, model.coef_, model.intercept_)


def cross_validated_logits(space: FeatureSpace, spanish: Corpus, extra: Corpus, seed: int) -> Rows:
    """Return logits of each Spanish text from a model that did not see it; extra texts are always trained on."""
    logits = np.zeros((len(spanish.classes), len(LABELS)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in folds.split(spanish.classes, spanish.classes):
        logits[unseen] = fit(space, spanish.pick(seen).join(extra)).logits(space, spanish.pick(unseen))
    return logits


def best_temperature(logits: Rows, truth: Classes) -> float:
    """Return the divisor of the logits that minimises the log loss (Guo et al. 2017)."""

    def loss(temperature: float) -> float:
        right = softmax(logits / temperature)[np.arange(len(truth)), truth]
        return float(-np.log(right).mean())

    return float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def save_weights(path: Path, trained: Fit, temperature: float) -> None:
    """Write int8 coefficients with a scale for each class, float16 idf, float32 intercept and temperature."""
    scale = np.abs(trained.coefficients).max(axis=1) / 127.0
    np.savez_compressed(
        path,
        coefficients=np.round(trained.coefficients / scale[:, None]).astype(np.int8),
        scale=scale.astype(np.float32),
        word_idf=trained.word_idf.astype(np.float16),
        char_idf=trained.char_idf.astype(np.float16),
        intercept=trained.intercept.astype(np.float32),
        temperature=np.float32(temperature),
    )


def write_manifest(folder: Path, version: str, space: FeatureSpace, held_out: dict[str, float]) -> None:
    """Write identity, feature settings, scores and the digest of each file."""
    settings = {name: value for name, value in vars(space).items() if name != "lexicon"}
    names = ("weights.npz", "lexicon.txt")
    manifest: dict[str, Any] = {
        "id": MODEL_ID,
        "version": version,
        "languages": LANGUAGES,
        "measured_languages": LANGUAGES,
        "labels": LABELS,
        "features": settings,
        "held_out": held_out,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Cross-validate, calibrate, train, write the model folder, and measure what it loads."""
    space = FeatureSpace(Lexicon.parse((options.out / "lexicon.txt").read_text(encoding="utf-8")))
    spanish = corpus_of(space, *read_labelled(options.train))
    extra = corpus_of(space, *read_extra(options.extra))
    runs = [cross_validated_logits(space, spanish, extra, seed) for seed in range(REPEATS)]
    temperature = best_temperature(np.concatenate(runs), np.tile(spanish.classes, REPEATS))
    folds = [summary(spanish.classes, softmax(run / temperature)) for run in runs]
    mean = {f"cross_validated_{name}": round(float(np.mean([f[name] for f in folds])), 4) for name in folds[0]}
    save_weights(options.out / "weights.npz", fit(space, spanish.join(extra)), temperature)
    write_manifest(options.out, options.version, space, mean)
    validation = report(LinearClassifier.load(options.out), *read_labelled(options.validation))
    chosen = {f"validation_{name}": validation[name] for name in ("macro_f1", "expected_calibration_error")}
    write_manifest(options.out, options.version, space, mean | chosen)
    return {"temperature": round(temperature, 4), "cross_validation": mean, "validation": validation}


def main() -> None:
    """Train and print the measurements as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--train", "--validation", "--extra"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--out", type=Path, default=LINEAR_MODEL)
    parser.add_argument("--version", default="1.0.0")
    print(json.dumps(train(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()

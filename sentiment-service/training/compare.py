"""Compare two models, named as in SENTIMENT_MODEL, on rows that neither was trained on, with a paired bootstrap.

    python training/compare.py OLD NEW --texts [NAME=]FILE … --pairs [NAME=]FILE … [--ironic FILE …] [--kinds FILE]

Of files of public sets the rows kept for measuring are taken (``sources.Row.measured``); of a file whose name begins
with `held_`, or with `umsab` (`label TAB text`), all rows. Printed for each set: the number of rows, macro-F1 of texts
or accuracy towards targets of both models, the standard error of the new figure, and the difference with its 95 %
interval over 2,000 resamples of the rows. Texts with a negation and texts with slang are also measured apart, over all
sets.
``--ironic`` are files with columns `irony` (1 or 0) and `text`: printed is the share of ironic texts that a model calls
positive, of every fourth row. ``--kinds FILE`` only writes the texts of each kind (`kind TAB label TAB text`), for
`bench.sentiment.kinds`.
"""

import argparse
import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import Classes, class_scores, confusion  # type: ignore[import-not-found, unused-ignore]
from sources import Row, read_pairs, read_texts, read_umsab  # type: ignore[import-not-found, unused-ignore]
from yardstick.measure import towards  # type: ignore[import-not-found, unused-ignore]

from sentiment_service.classifiers.base import LABELS, Classifier
from sentiment_service.classifiers.loader import load_model

RESAMPLES = 2000
NEGATION = r"no nunca jam[aá]s tampoco nadie ni sin ning[uú]n\w*"
SLANG = (
    r"parce\w* marica\w* chimba\w* [bv]errac\w* gonorrea\w* hp hijueput\w* malparid\w* mamert\w* tombo\w* "
    r"[hg][uü]ev\w* boludo\w* pelotud\w* wey g[uü]ey chido\w* pinche\w* mierda\w* put[ao]\w* chingad\w* cabr[oó]n\w* "
    r"mames verga\w* pendej\w* mamad\w* arrech\w* bacan\w* ch[eé]vere\w* joder\w* coño"
)
KINDS = {kind: rf"\b(?:{words.replace(' ', '|')})\b" for kind, words in (("negation", NEGATION), ("slang", SLANG))}
Measure = Callable[[Classes, Classes], float]


def macro_f1(truth: Classes, found: Classes) -> float:
    """Return the mean F1 of the three labels."""
    return float(class_scores(confusion(truth, found, len(LABELS)))[:, 2].mean())


def accuracy(truth: Classes, found: Classes) -> float:
    """Return the share of right answers; `absent` is never right."""
    return float((truth == found).mean())


def compared(truth: Classes, old: Classes, new: Classes, measure: Measure) -> dict[str, Any]:
    """Return both figures and their difference over resamples of the rows."""
    draw = np.random.default_rng(0)
    chosen = draw.integers(0, len(truth), (RESAMPLES, len(truth)))
    pairs = np.array([(measure(truth[at], old[at]), measure(truth[at], new[at])) for at in chosen])
    low, high = np.percentile(pairs[:, 1] - pairs[:, 0], (2.5, 97.5))
    return {
        "n": len(truth),
        "old": round(measure(truth, old), 3),
        "new": round(measure(truth, new), 3),
        "standard_error": round(float(pairs[:, 1].std()), 3),
        "interval_of_difference": [round(float(low), 3), round(float(high), 3)],
    }


def numbers(labels: Sequence[str]) -> Classes:
    """Return the labels as numbers; -1 for what is none of LABELS."""
    return np.array([LABELS.index(one) if one in LABELS else -1 for one in labels])


def read(written: str, *, pairs: bool) -> tuple[str, list[Row]]:
    """Return the name and the rows of `NAME=FILE`."""
    name, _, file = written.rpartition("=")
    path = Path(file)
    name = name or path.stem
    if name.startswith("umsab"):
        return name, list(read_umsab(path))
    rows = list(read_pairs(path) if pairs else read_texts(path))
    return name, rows if name.startswith("held_") else [row for row in rows if row.measured]


def texts_answers(model: Classifier, rows: Sequence[Row]) -> Classes:
    """Return the labels of texts."""
    return numbers([scores.label for scores in model.classify([row.text for row in rows])])


def pairs_answers(model: Classifier, rows: Sequence[Row]) -> Classes:
    """Return the labels towards targets, as the service answers."""
    targets: dict[str, list[str]] = {}
    for row in rows:
        targets.setdefault(row.text, []).append(row.target)
    return numbers([towards(model, r.text, r.target, [t for t in targets[r.text] if t != r.target]) for r in rows])


def differing(rows: Sequence[Row]) -> list[int]:
    """Return the rows whose text has targets of different labels."""
    labels: dict[str, set[str]] = {}
    for row in rows:
        labels.setdefault(row.text, set()).add(row.label)
    return [at for at, row in enumerate(rows) if len(labels[row.text]) > 1]


def of_texts(old: Classifier, new: Classifier, sets: dict[str, list[Row]]) -> dict[str, Any]:
    """Return what is printed of texts."""
    report, rows, answers = {}, list[Row](), list[tuple[Classes, Classes]]()
    for name, some in sets.items():
        answers.append((texts_answers(old, some), texts_answers(new, some)))
        report[name] = compared(numbers([row.label for row in some]), *answers[-1], macro_f1)
        rows += some
    first, second = (np.concatenate(side) for side in zip(*answers, strict=True))
    truth = numbers([row.label for row in rows])
    for kind, words in KINDS.items():
        at = [place for place, row in enumerate(rows) if re.search(words, row.text.lower())]
        report[f"{kind}, all sets"] = compared(truth[at], first[at], second[at], macro_f1)
    return report


def of_pairs(old: Classifier, new: Classifier, sets: dict[str, list[Row]]) -> dict[str, Any]:
    """Return what is printed of pairs; `whole text` is the old model's label of the text."""
    report: dict[str, Any] = {}
    for name, rows in sets.items():
        truth, whole = numbers([row.label for row in rows]), texts_answers(old, rows)
        first, second = pairs_answers(old, rows), pairs_answers(new, rows)
        report[name] = compared(truth, first, second, accuracy)
        report[f"{name}: beside the label of the whole text"] = compared(truth, whole, second, accuracy)
        at = differing(rows)
        if at:
            report[f"{name}: where targets differ"] = compared(truth[at], first[at], second[at], accuracy)
    return report


def read_irony(path: Path) -> list[dict[str, str]]:
    """Return every fourth row of a file of `--ironic`."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[::4]


def called_positive(model: Classifier, path: Path) -> dict[str, float]:
    """Return the share of ironic, and of other, texts that the model calls positive."""
    rows = read_irony(path)
    found = texts_answers(model, [Row("", row["text"], "", path.stem) for row in rows])
    ironic = np.array([row["irony"] == "1" for row in rows])
    positive = found == LABELS.index("positive")
    return {"ironic": round(float(positive[ironic].mean()), 3), "others": round(float(positive[~ironic].mean()), 3)}


def write_kinds(out: Path, sets: dict[str, list[Row]], ironic: Sequence[Path]) -> None:
    """Write the texts of each kind; the label of ironic ones is empty."""
    rows = [
        (kind, row.label, row.text)
        for kind, words in KINDS.items()
        for some in sets.values()
        for row in some
        if re.search(words, row.text.lower())
    ]
    rows += [("irony", "", row["text"]) for path in ironic for row in read_irony(path) if row["irony"] == "1"]
    lines = (f"{kind}\t{label}\t{' '.join(text.split())}\n" for kind, label, text in rows)
    out.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Read the options and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--texts", nargs="*", default=[])
    parser.add_argument("--pairs", nargs="*", default=[])
    parser.add_argument("--ironic", type=Path, nargs="*", default=[])
    parser.add_argument("--kinds", type=Path)
    options = parser.parse_args()
    texts = dict(read(one, pairs=False) for one in options.texts)
    if options.kinds:
        write_kinds(options.kinds, texts, options.ironic)
        return
    old, new = load_model(options.old), load_model(options.new)
    report = {
        "texts": of_texts(old, new, texts) if texts else {},
        "pairs": of_pairs(old, new, dict(read(one, pairs=True) for one in options.pairs)),
        "called_positive": {
            path.stem: {"old": called_positive(old, path), "new": called_positive(new, path)} for path in options.ironic
        },
    }
    print(json.dumps(report, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()

"""Labelled texts and (text, target) pairs of public sets, each split into a part to train on and one to measure on.

The files are tab-separated with a header; columns `label`, `text`, and `target`, `mention` for pairs. A row belongs to
the part for measuring if the hash of its text says so, one in five: the split does not depend on the order or on which
sets are read together, and equal texts never stand on both sides.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = 5


@dataclass(frozen=True)
class Row:
    """One labelled text; ``target`` is empty for the sentiment of the whole text."""

    label: str
    text: str
    target: str
    source: str

    @property
    def measured(self) -> bool:
        """Whether the row is kept for measuring."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % PARTS == 0


def read_texts(path: Path) -> Iterator[Row]:
    """Yield the texts of a file of `labelled/`, without those of the UMSAB training split."""
    for row in _rows(path):
        if row.get("umsab_train") != "1":
            yield Row(row["label"], row["text"], "", path.stem)


def read_pairs(path: Path) -> Iterator[Row]:
    """Yield the pairs of a file of `targeted/`."""
    for row in _rows(path):
        yield Row(row["label"], row["text"], row["mention"] or row["target"], path.stem)


def read_corpus(path: Path, *, pairs: bool) -> Iterator[Row]:
    """Yield the posts of `corpus/posts.tsv`, or their pairs of post and target; all of them are for training."""
    for row in _rows(path):
        if not pairs:
            yield Row(row["label"], row["text"], "", path.stem)
            continue
        for name, _, label in (one.rpartition("=") for one in row["targets"].split("|") if "=" in one):
            yield Row(label, row["text"], name, path.stem)


def read_umsab(path: Path) -> Iterator[Row]:
    """Yield the texts of a file of `label TAB text`; all of them are for training or, for validation, for measuring."""
    for line in path.read_text(encoding="utf-8").splitlines():
        label, text = line.split("\t", 1)
        yield Row(label, text, "", path.stem)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)

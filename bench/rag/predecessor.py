"""The method of the system before: vectors as JSON in SQLite, each query reads and compares all of them in Python."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from bench.rag.vectors import Floats


def fill(path: Path, vectors: Floats) -> sqlite3.Connection:
    """Store vectors in the table that the system before had."""
    store = sqlite3.connect(path)
    store.execute(
        "CREATE TABLE rag_documents (id TEXT PRIMARY KEY, content TEXT, metadata TEXT, embedding TEXT, created_at TEXT)"
    )
    rows = ((f"d{at}", "texto", "{}", json.dumps(row.tolist()), "2022-05-01") for at, row in enumerate(vectors))
    store.executemany("INSERT INTO rag_documents VALUES (?, ?, ?, ?, ?)", rows)
    store.commit()
    return store


def nearest(store: sqlite3.Connection, query: Sequence[float], limit: int) -> list[str]:
    """Return the ids of the nearest documents, nearest first."""
    scores = []
    for name, stored in store.execute("SELECT id, embedding FROM rag_documents"):
        scores.append((_cosine(query, json.loads(stored)), name))
    return [name for _, name in sorted(scores, reverse=True)[:limit]]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    lengths = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other))
    return product / lengths if lengths else 0.0


def seconds_of(path: Path, vectors: Floats, queries: Floats) -> float:
    """Return the mean seconds of a query over ``vectors``."""
    path.unlink(missing_ok=True)
    store = fill(path, vectors)
    begun = time.perf_counter()
    for query in queries:
        nearest(store, query.tolist(), 10)
    taken = (time.perf_counter() - begun) / len(queries)
    store.close()
    path.unlink()
    return taken

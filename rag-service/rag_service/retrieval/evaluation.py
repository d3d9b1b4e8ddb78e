"""How good a ranking is, by documents that were judged relevant."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one ranking up to a depth, each in [0, 1]."""

    ndcg: float
    recall: float
    reciprocal_rank: float


def quality_of(ranking: Sequence[str], relevant: Set[str], depth: int) -> Quality:
    """Compare the first ``depth`` of ``ranking`` with the ``relevant`` ids (at least one), all equally relevant.

    nDCG after Järvelin and Kekäläinen (2002): gain 1 / log2(rank + 1), divided by that of the best ranking.
    """
    hits = [rank for rank, name in enumerate(ranking[:depth], 1) if name in relevant]
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(depth, len(relevant)) + 1))
    gain = sum(1 / math.log2(rank + 1) for rank in hits)
    return Quality(gain / best, len(hits) / len(relevant), 1 / hits[0] if hits else 0.0)

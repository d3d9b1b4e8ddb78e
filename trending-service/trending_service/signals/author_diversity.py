"""The effective number of authors: Hill's number of order 1 (Hill 1973), the exponential of Shannon's entropy."""

from __future__ import annotations

import math
from collections.abc import Iterable


def effective_authors(tweets_per_author: Iterable[int]) -> float:
    """Return exp(Shannon entropy) of the authors: 1 for one account, k for k equally busy ones; 0 for none."""
    counts = [count for count in tweets_per_author if count > 0]
    return effective_authors_of(sum(counts), sum(n * math.log(n) for n in counts))


def effective_authors_of(tweets: int, sum_n_log_n: float) -> float:
    """``effective_authors`` from sufficient statistics: the tweets and the sum of n ln n over authors."""
    return math.exp(math.log(tweets) - sum_n_log_n / tweets) if tweets else 0.0
